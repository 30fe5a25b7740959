"""The steps of an execution: their states, and the job or resource behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from studio.jobs import KINDS, Kind
from studio.times import between, duration

WAITING, SKIPPED, NOT_RUN = "Waiting", "Skipped", "Not run"
"""The view's own words for steps that AWS does not list. AWS's words for the others are kept."""
UNDER_WAY = {"Executing", "Starting", "Stopping"}
ENDED = {"Succeeded", "Failed", "Stopped", "CompletedWithFailures"}

_KINDS = {
    "TrainingJob": KINDS["training"],
    "ProcessingJob": KINDS["processing"],
    "TransformJob": KINDS["transform"],
    "TuningJob": KINDS["tuning"],
    "AutoMLJob": KINDS["automl"],
}
"""The kinds of jobs by the members of a step's metadata that name them."""


@dataclass(frozen=True, slots=True)
class StepState:
    """A step as ListPipelineExecutionSteps tells it; without ``status`` it is only defined."""

    name: str
    status: str
    type: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    reason: str = ""
    attempts: int = 0
    cached_from: str = ""
    copied_from: str = ""
    outcome: str = ""
    parent: str = ""
    index: int = -1
    item: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        return between(self.started, self.ended)

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def note(self) -> str:
        """What stands below the name: how long it took, or why it did not run."""
        if self.cached_from:
            return "from cache"
        if self.copied_from:
            return "from an earlier execution"
        if self.outcome:
            return self.outcome.lower()
        if self.started and self.status not in ("", "Starting"):
            return duration(self.seconds)
        return self.status.lower()

    @property
    def job(self) -> tuple[Kind, str] | None:
        """The kind and name of the job that did the work."""
        for member, kind in _KINDS.items():
            if arn := (self.metadata.get(member) or {}).get("Arn"):
                return kind, arn.rsplit("/", 1)[-1]
        for member in ("QualityCheck", "ClarifyCheck"):
            if arn := (self.metadata.get(member) or {}).get("CheckJobArn"):
                return KINDS["processing"], arn.rsplit("/", 1)[-1]
        return None

    @property
    def package(self) -> str:
        """The ARN of the model package that the step registered."""
        return str((self.metadata.get("RegisterModel") or {}).get("Arn") or "")


def read_state(item: Mapping[str, Any]) -> StepState:
    """A step from an item of ListPipelineExecutionSteps."""
    metadata = item.get("Metadata") or {}
    iteration = item.get("IterationContext") or {}
    return StepState(
        name=item["StepName"],
        status=item.get("StepStatus", ""),
        type=_type(metadata),
        started=item.get("StartTime"),
        ended=item.get("EndTime"),
        reason=item.get("FailureReason") or "",
        attempts=item.get("AttemptCount") or 0,
        cached_from=(item.get("CacheHitResult") or {}).get("SourcePipelineExecutionArn", ""),
        copied_from=(item.get("SelectiveExecutionResult") or {}).get("SourcePipelineExecutionArn", ""),
        outcome=(metadata.get("Condition") or {}).get("Outcome", ""),
        parent=iteration.get("ParentStepName", ""),
        index=iteration.get("Index", -1),
        item=str(iteration.get("Item", "")),
        metadata=metadata,
    )


def _type(metadata: Mapping[str, Any]) -> str:
    return next((_KINDS[member].title if member in _KINDS else member for member in metadata), "")
