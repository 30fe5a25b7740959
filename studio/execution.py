"""An execution as its pages show it: one reading of what AWS says of it at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from studio.aws import Aws
from studio.definition import NO_DEFINITION, Definition, as_text
from studio.steps import ENDED, StepState, read_state
from studio.times import between


@dataclass(frozen=True)
class Execution:
    pipeline: str
    id: str
    document: Mapping[str, Any]
    states: Mapping[str, StepState]
    given: Mapping[str, str]
    definition: Definition

    @property
    def arn(self) -> str:
        return str(self.document["PipelineExecutionArn"])

    @property
    def title(self) -> str:
        return str(self.document.get("PipelineExecutionDisplayName") or self.id)

    @property
    def status(self) -> str:
        return str(self.document.get("PipelineExecutionStatus", ""))

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def started(self) -> datetime | None:
        return self.document.get("CreationTime")

    @property
    def ended(self) -> datetime | None:
        """When its last step ended; AWS says no end of the execution itself."""
        if not self.has_ended:
            return None
        ends = [state.ended for state in self.states.values() if state.ended]
        return max(ends) if ends else self.document.get("LastModifiedTime")

    @property
    def seconds(self) -> float | None:
        return between(self.started, self.ended)

    @property
    def reason(self) -> str:
        return str(self.document.get("FailureReason") or "")

    @cached_property
    def values(self) -> dict[str, str]:
        """The value of every parameter: as given at the start, else its default."""
        return {p.name: self.given.get(p.name, p.default_text) for p in self.definition.parameters}

    @property
    def failed(self) -> list[StepState]:
        """The steps that failed, the first one first."""
        found = [state for state in self.states.values() if state.status == "Failed"]
        return sorted(found, key=lambda state: state.ended.timestamp() if state.ended else 0.0)

    @property
    def packages(self) -> list[str]:
        """The ARNs of the model packages that it registered."""
        return [state.package for state in self.states.values() if state.package]


def execution_arn(aws: Aws, pipeline: str, execution: str) -> str:
    """The ARN of an execution, from that of its pipeline."""
    return f"{pipeline_arn(aws, pipeline)}/execution/{execution}"


def pipeline_arn(aws: Aws, pipeline: str) -> str:
    return str(aws.pipeline_arn(pipeline))


def load_execution(aws: Aws, pipeline: str, execution: str) -> Execution:
    """Read an execution.

    Raises:
        Problem: AWS refused, or there is no such execution.
    """
    arn = execution_arn(aws, pipeline, execution)
    document = aws.sagemaker("describe_pipeline_execution", PipelineExecutionArn=arn)
    document.pop("ResponseMetadata", None)
    none: dict[str, StepState] = {}
    states = aws.optional(lambda: load_states(aws, arn), none)
    definition = aws.optional(lambda: aws.definition(arn), NO_DEFINITION)
    return Execution(pipeline, execution, document, states, _given(aws, arn), definition)


def load_states(aws: Aws, arn: str) -> dict[str, StepState]:
    """The steps of an execution that have begun, by name, in the order in which they did."""
    listed = aws.every(
        "list_pipeline_execution_steps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
        MaxResults=100,
    )
    return {state.name: state for state in map(read_state, listed)}


def _given(aws: Aws, arn: str) -> dict[str, str]:
    items: list[dict[str, Any]] = aws.optional(lambda: aws.parameters(arn), [])
    return {item["Name"]: as_text(item["Value"]) for item in items}
