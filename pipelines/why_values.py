"""What the cache compares of a step that has run, as AWS's API tells it: by its job, or by its metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipelines.cache_keys import SIBLING_KEYS, key_arguments
from pipelines.connection import Connection
from pipelines.definition import Step, steps
from pipelines.errors import UsageError, suggest
from pipelines.execution import definition_of
from pipelines.jobs import KINDS, JobKind, describe_job

JOBS = KINDS | {
    "TuningJob": JobKind("HyperParameterTuningJob", "/aws/sagemaker/TrainingJobs"),
    "AutoMLJob": JobKind("AutoMLJob", "/aws/sagemaker/AutoMLJobs"),
}
"""By their names in the metadata of a step."""
_CHECK_JOB = "CheckJobArn"
_CHECKED = ("AppSpecification", "Environment", "ProcessingInputs", "ProcessingResources", "NetworkConfig", "RoleArn",
            "StoppingCondition")  # fmt: skip
"""What a check's processing job shows of CheckJobConfig and of the check's own configuration."""
_NAMES = ("InputName", "ChannelName", "DefinitionName", "Name")


@dataclass(frozen=True)
class Run:
    """A step that ran in an execution: what ListPipelineExecutionSteps gives of it."""

    execution: str
    item: dict[str, Any]

    @property
    def metadata(self) -> tuple[str, dict[str, Any]] | None:
        """The name and members of what the step made, None if it has made nothing yet."""
        for name, details in (self.item.get("Metadata") or {}).items():
            if details.get("Arn") or details.get(_CHECK_JOB) or details.get("ClusterId"):
                return name, details
        return None

    @property
    def arn(self) -> str:
        """Of the job; empty where there is none."""
        found = self.metadata
        return str(found[1].get("Arn") or found[1].get(_CHECK_JOB) or "") if found else ""


def compared_values(connection: Connection, step: Step, run: Run) -> dict[str, str]:
    """Every scalar that counts, by the path to it."""
    assert run.metadata is not None, "the caller has looked"
    name, details = run.metadata
    if step.type == "EMR":
        defined = defined_step(connection, run.execution, step.name)
        values = key_arguments("EMR", (defined.body.get("Arguments") or {}) | details)
    elif step.type in SIBLING_KEYS:
        job = describe_job(connection, KINDS["ProcessingJob"], run.arn)
        values = {key: details[key] for key in SIBLING_KEYS[step.type] if key in details}
        values |= {key: job[key] for key in _CHECKED if key in job}
    else:
        values = key_arguments(step.type, describe_job(connection, JOBS[name], run.arn))
    return dict(_flatten({key: value for key, value in values.items() if value not in (None, {}, [])}, ""))


def defined_step(connection: Connection, execution: str, name: str) -> Step:
    """A step as the execution's definition has it; that of a loop's body is meant by the name of each of its runs.

    Raises:
        UsageError: the definition has no such step.
    """
    known = {step.name: step for step in steps(definition_of(connection, execution))}
    if name in known:
        return known[name]
    body, _, index = name.rpartition("-")
    if index.isdigit() and body in known and (known[body].branch or ("", ""))[1] == "each":
        return replace(known[body], name=name)
    raise UsageError(f"The pipeline of this execution has no step {name!r}{suggest(name, known)}")


def _flatten(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every scalar in a value with the path to it; elements of lists go by their names where they have one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flatten(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            names = [item[name] for name in _NAMES if isinstance(item, dict) and name in item]
            yield from _flatten(item, f"{path}[{names[0] if names else number}]")
    else:
        yield path, str(value)
