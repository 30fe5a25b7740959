"""PL7xx: where steps write, and secrets that they carry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, nodes

SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_?KEY|TOKEN(?![a-z])|PRIVATE_?KEY)", re.IGNORECASE)


@check("PL701", "fixed output path shared by concurrent executions", "warning")
def fixed_output(subject: Subject) -> Iterator[Problem]:
    """Two executions at the same time overwrite each other's results, and a later one those of an earlier. Leave the
    URI empty for the SDK's own path, or put `ExecutionVariables.PIPELINE_EXECUTION_ID` into it."""
    for step, field, uri in _outputs(subject):
        if "Execution." not in json.dumps(uri):
            message = "every execution writes to the same place"
            yield Problem(message, "put ExecutionVariables.PIPELINE_EXECUTION_ID into the URI", step, field)


@check("PL702", "two outputs at the same place")
def shared_output(subject: Subject) -> Iterator[Problem]:
    """Steps (or outputs of one step) overwrite each other's files."""
    seen: dict[str, str] = {}
    for step, field, uri in _outputs(subject):
        text = json.dumps(uri, sort_keys=True)
        if text in seen:
            yield Problem(f"{seen[text]} writes to the same place", "give each its own URI", step, field)
        seen.setdefault(text, f"{step} {field}")


@check("PL703", "secret in the definition", "warning")
def secret(subject: Subject) -> Iterator[Problem]:
    """Everyone who may describe the pipeline or the job reads it. Keep it in Secrets Manager and let the script fetch
    it with its role."""
    for step, arguments in subject.of_type("Processing", "Training", "Transform", "Model", "RegisterModel"):
        for path, value in nodes(arguments, "Arguments"):
            name = path.rpartition(".")[2]
            in_map = re.search(r"\.(Environment|HyperParameters)\.[^.]+$", path)
            if in_map and SECRET.search(name) and isinstance(value, str) and value:
                yield Problem(f"{name} looks like a secret", "keep it in Secrets Manager", step, path)


@check("PL704", "output bucket of another environment", "warning")
def foreign_bucket(subject: Subject) -> Iterator[Problem]:
    """An output goes to a bucket that is not the environment's: on another account the role cannot write to it."""
    for step, field, uri in _outputs(subject):
        bucket = _bucket(uri)
        if bucket and bucket != subject.environment.bucket:
            message = f"the output goes to bucket {bucket}, the environment's is {subject.environment.bucket}"
            yield Problem(message, "use environment.bucket", step, field)


def _outputs(subject: Subject) -> Iterator[tuple[str, str, Any]]:
    """Step, field and URI of outputs whose place is exactly that URI; a training job adds its own name to its."""
    for step, arguments in subject.of_type("Processing"):
        for number, output in enumerate((arguments.get("ProcessingOutputConfig") or {}).get("Outputs") or ()):
            if uri := (output.get("S3Output") or {}).get("S3Uri"):
                yield step, f"Arguments.ProcessingOutputConfig.Outputs[{number}].S3Output.S3Uri", uri
    for step, arguments in subject.of_type("Transform"):
        if uri := (arguments.get("TransformOutput") or {}).get("S3OutputPath"):
            yield step, "Arguments.TransformOutput.S3OutputPath", uri


def _bucket(uri: Any) -> str | None:
    if isinstance(uri, dict) and "Std:Join" in uri:
        values = uri["Std:Join"]["Values"]
        if not all(isinstance(value, str) for value in values[:2]):
            return None
        uri = str(uri["Std:Join"].get("On", "")).join(values[:2]) + "/"
    match = re.match(r"s3://([a-z0-9.-]+)/", uri) if isinstance(uri, str) else None
    return match[1] if match else None
