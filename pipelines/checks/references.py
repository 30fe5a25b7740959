"""PL3xx: what steps refer to in other steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipelines.checks.facts import properties
from pipelines.checks.paths import missing_key, split_path
from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Reference, Subject, nodes, own_members
from pipelines.errors import suggest

EXECUTION_VARIABLES = frozenset(
    {
        *("StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn", "PipelineExecutionId"),
        *("PipelineExecutionArn", "TrainingJobName", "ProcessingJobName"),
    }
)


@check("PL301", "unknown step")
def unknown_step(subject: Subject) -> Iterator[Problem]:
    """SageMaker refuses the definition: a reference or a `depends_on` names a step that is not in the pipeline.
    Put the step into `steps=` (or a branch)."""
    for reference, name, _ in _step_references(subject):
        if name not in subject.steps:
            message = f"there is no step {name!r}{suggest(name, subject.steps)}"
            yield Problem(message, "put it into the pipeline's steps", reference.step, reference.field)
    for body in subject.bodies:
        for entry in body.get("DependsOn") or ():
            name = entry if isinstance(entry, str) else entry["Step"]
            if name not in subject.steps:
                message = f"there is no step {name!r}{suggest(name, subject.steps)}"
                yield Problem(message, "correct depends_on", body["Name"], "DependsOn")


@check("PL302", "unknown output of a processing step")
def unknown_output(subject: Subject) -> Iterator[Problem]:
    """The job would have no such output. Correct the name, or add the output to the step."""
    for reference, name, path in _step_references(subject):
        if subject.steps.get(name, {}).get("Type") != "Processing":
            continue
        tokens = split_path(path) or []
        outputs = _outputs(subject.steps[name])
        if tokens[:2] == ["ProcessingOutputConfig", "Outputs"] and len(tokens) > 2 and isinstance(tokens[2], str):
            wanted = tokens[2]
            if wanted not in outputs:
                message = f"step {name} has no output {wanted!r}{suggest(wanted, outputs)}"
                yield Problem(message, "correct the name of the output", reference.step, reference.field)


@check("PL303", "property file that no output carries")
def uncarried_property_file(subject: Subject) -> Iterator[Problem]:
    """A property file lies in an output of its step: `output_name` must be the name of one."""
    for body in subject.bodies:
        for file in body.get("PropertyFiles") or ():
            if file["OutputName"] not in (outputs := _outputs(body)):
                message = f"property file {file['PropertyFileName']} is in output {file['OutputName']!r}"
                message += f", which the step does not have{suggest(file['OutputName'], outputs)}"
                yield Problem(message, "correct output_name", body["Name"], "PropertyFiles")


@check("PL304", "unknown property file")
def unknown_property_file(subject: Subject) -> Iterator[Problem]:
    """A JsonGet reads a property file that its step does not declare in `property_files=`."""
    for step, field, read in _json_gets(subject):
        name, file = _property_file(read)
        declared = {item["PropertyFileName"] for item in subject.steps.get(name, {}).get("PropertyFiles") or ()}
        if name in subject.steps and file not in declared:
            message = f"step {name} has no property file {file!r}{suggest(file, declared)}"
            yield Problem(message, f"add it to property_files= of {name}", step, field)


@check("PL305", "malformed JSON path")
def malformed_json_path(subject: Subject) -> Iterator[Problem]:
    """A path is made of keys and indexes: `metrics.auc.value`, `folds[0].auc`, `['a key'].x`."""
    for step, field, read in _json_gets(subject):
        if split_path(str(read.get("Path", ""))) is None:
            message = f"{read.get('Path')!r} is not a path"
            yield Problem(message, "write keys and indexes, such as metrics.auc.value", step, field)


@check("PL306", "JSON path that the step's script does not write", "warning")
def unwritten_json_path(subject: Subject) -> Iterator[Problem]:
    """Every key of a JSON path should occur in the script that writes the property file (or in a file beside it that
    is uploaded with it): a misspelled key fails the execution only after the step has run."""
    for step, field, read in _json_gets(subject):
        name, _ = _property_file(read)
        written = _script_texts(subject, name)
        keys = [token for token in split_path(str(read.get("Path", ""))) or [] if isinstance(token, str)]
        for key in keys if written else []:
            if not any(key in text for text in written):
                message = f"the script of step {name} nowhere says {key!r}, which the path {read['Path']!r} looks for"
                yield Problem(message, "correct the path, or write the key", step, field)


@check("PL307", "unknown property of a step")
def unknown_property(subject: Subject) -> Iterator[Problem]:
    """Properties of a step are the response of its Describe operation (of a Lambda or Callback step: the outputs that
    it declares); this is not in it."""
    for reference, name, path in _step_references(subject):
        body = subject.steps.get(name)
        if body is None or path.startswith("PropertyFiles"):
            continue
        shape = _shape(body)
        tokens = split_path(path)
        if shape is not None and (lost := missing_key(shape, tokens) if tokens else path):
            message = f"a step of type {body['Type']} has no property {path!r}: {lost!r} is unknown"
            yield Problem(message, "correct the property", reference.step, reference.field)


@check("PL308", "unknown variable")
def unknown_variable(subject: Subject) -> Iterator[Problem]:
    """A reference begins with Parameters, Steps, Execution, PipelineExperimentConfig or, in loops, ForEach."""
    roots = {"Parameters", "Steps", "PipelineExperimentConfig", "ForEach", "IterationOutput"}
    for reference in subject.references:
        root, _, rest = reference.path.partition(".")
        root = root.partition("[")[0]
        if root in roots or (root == "Execution" and rest in EXECUTION_VARIABLES):
            continue
        known = EXECUTION_VARIABLES if root == "Execution" else roots
        message = f"there is no variable {reference.path!r}{suggest(rest if root == 'Execution' else root, known)}"
        yield Problem(message, "correct the reference", reference.step, reference.field)


def _step_references(subject: Subject) -> Iterator[tuple[Reference, str, str]]:
    """References to steps, each with the step's name and the path in its properties."""
    for reference in subject.references:
        if len(reference.parts) > 1 and reference.parts[0] == "Steps":
            name, bracket, rest = reference.path.removeprefix("Steps.").partition(".")
            name, opened, index = name.partition("[")
            path = f"[{index}" if opened else ""
            yield reference, name, path + (rest if not path or not bracket else f".{rest}")


def _shape(body: dict[str, Any]) -> Any:
    match body["Type"]:
        case "Lambda" | "Callback":
            names = {item["OutputName"]: "*" for item in body.get("OutputParameters") or ()}
            return {"OutputParameters": names}
        case "Condition":
            return {"Outcome": ""}
        case kind:
            return properties(kind)


def _json_gets(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Step, field and content of every JsonGet of a property file."""
    for body in subject.bodies:
        for path, value in nodes(own_members(body)):
            if path.endswith("Std:JsonGet") and isinstance(value, dict) and "PropertyFile" in value:
                yield body["Name"], path, value


def _property_file(read: dict[str, Any]) -> tuple[str, str]:
    """Names of the step and of its property file."""
    reference = read["PropertyFile"]
    path = str(reference.get("Get", "")) if isinstance(reference, dict) else str(reference)
    step, _, file = path.removeprefix("Steps.").partition(".PropertyFiles.")
    return step, file


def _outputs(body: dict[str, Any]) -> list[str]:
    config = (body.get("Arguments") or {}).get("ProcessingOutputConfig") or {}
    return [str(output["OutputName"]) for output in config.get("Outputs") or ()]


def _script_texts(subject: Subject, step: str) -> list[str]:
    """Texts of the uploaded Python files of a processing step; none if it has other programs."""
    body = subject.steps.get(step) or {}
    inputs = (body.get("Arguments") or {}).get("ProcessingInputs") or ()
    uris = [(item.get("S3Input") or {}).get("S3Uri") for item in inputs]
    texts = []
    for asset in subject.manifest.get("assets") or ():
        if asset["key"].endswith(".py") and any(isinstance(uri, str) and asset["key"] in uri for uri in uris):
            texts.append(subject.asset_text(asset["key"]))
    return [json.dumps(text) for text in texts]
