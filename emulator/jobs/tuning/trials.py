"""The training jobs of a tuning job. Each is noted, under its name and with its values, before it is created."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from emulator.aws.arns import sagemaker_arn
from emulator.jobs.training import KIND as TRAINING
from emulator.store.resources import Query, Resource, Resources

KIND = "tuning-trial"
RUNNING, ENDED = "Running", "Ended"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """One training job. ``outcome`` is filled when it has ended: its status, its objective, its times."""

    number: int
    name: str
    definition: int
    values: dict[str, str]
    arn: str
    outcome: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        return self.outcome is not None

    @property
    def status(self) -> str:
        return "InProgress" if self.outcome is None else str(self.outcome["Status"])

    @property
    def objective(self) -> float | None:
        return None if self.outcome is None else self.outcome.get("Objective")


def trial_name(tuning: Resource, number: int) -> str:
    """``<tuning job>-<number from 001>-<8 characters>``: always the same for the same job and number."""
    digest = hashlib.sha256(f"{tuning.arn}/{tuning.created}/{number}".encode()).hexdigest()[:8]
    return f"{tuning.name}-{number + 1:03d}-{digest}"


def trials_of(resources: Resources, tuning: Resource) -> list[Trial]:
    """In the order of their numbers."""
    query = Query(KIND, parent=tuning.name, descending=False, max_results=_PAGE)
    return [_trial(row) for row in resources.walk(tuning.scope, query)]


def note(resources: Resources, tuning: Resource, number: int, definition: int, values: dict[str, str]) -> Trial:
    """Store a trial that is about to be launched."""
    name = trial_name(tuning, number)
    arn = sagemaker_arn(tuning.scope.account, tuning.scope.region, KIND, name)
    body = {"Number": number, "Definition": definition, "Values": values}
    row = Resource(tuning.scope, KIND, name, arn, body, status=RUNNING, parent=tuning.name)
    resources.insert(row)
    return _trial(row)


def settle(resources: Resources, trial: Trial, outcome: dict[str, Any]) -> Trial:
    """Store how a trial ended."""

    def change(row: Resource) -> None:
        row.status = ENDED
        row.body["Outcome"] = outcome

    changed = resources.update(trial.arn, change)
    assert changed is not None, f"trial {trial.name} has vanished"
    return _trial(changed)


def outcome_of(job: Resource | None, metric: str) -> dict[str, Any]:
    """What is kept of a training job that has ended, or was deleted."""
    if job is None:
        return {"Status": "Failed", "FailureReason": "The training job was deleted."}
    final = {item["MetricName"]: item["Value"] for item in job.body.get("FinalMetricDataList", [])}
    outcome = {
        "Status": job.status,
        "Objective": final.get(metric),
        "FailureReason": job.body.get("FailureReason"),
        "Seconds": job.body.get("TrainingTimeInSeconds", 0),
    }
    return {name: value for name, value in outcome.items() if value is not None}


def training_job(resources: Resources, tuning: Resource, trial: Trial) -> Resource | None:
    return resources.get(tuning.scope, TRAINING, trial.name)


def _trial(row: Resource) -> Trial:
    body = row.body
    return Trial(body["Number"], row.name, body["Definition"], body["Values"], row.arn, body.get("Outcome"))
