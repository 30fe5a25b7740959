"""How a tuning job stands: counters, the best job, and each job as the API shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from emulator.jobs.tuning.definition import Definition, definitions_of
from emulator.jobs.tuning.trials import Trial
from emulator.store.resources import Resource

EMPTY = {
    "TrainingJobStatusCounters": {
        "Completed": 0,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    },
    "ObjectiveStatusCounters": {"Succeeded": 0, "Pending": 0, "Failed": 0},
}


def objective_status(trial: Trial) -> str:
    if not trial.ended:
        return "Pending"
    return "Succeeded" if trial.objective is not None and trial.status != "Failed" else "Failed"


def succeeded(trials: Sequence[Trial]) -> list[Trial]:
    """Those that reached an objective, whether they ran to their end or were stopped early."""
    return [trial for trial in trials if objective_status(trial) == "Succeeded"]


def best(trials: Sequence[Trial], *, maximize: bool) -> Trial | None:
    """The earliest of those that reached most."""
    found: Trial | None = None
    for trial in succeeded(trials):
        assert trial.objective is not None
        if found is None or found.objective is None or _better(trial.objective, found.objective, maximize=maximize):
            found = trial
    return found


def _better(one: float, other: float, *, maximize: bool) -> bool:
    return one > other if maximize else one < other


def counters(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    jobs = Counter(_counted(trial) for trial in trials)
    objectives = Counter(objective_status(trial) for trial in trials)
    return {
        "TrainingJobStatusCounters": {name: jobs[name] for name in EMPTY["TrainingJobStatusCounters"]},
        "ObjectiveStatusCounters": {name: objectives[name] for name in EMPTY["ObjectiveStatusCounters"]},
    }


def _counted(trial: Trial) -> str:
    if trial.status != "Failed":
        return trial.status
    reason = "" if trial.outcome is None else trial.outcome.get("FailureReason", "")
    return "RetryableError" if reason.startswith("InternalServerError") else "NonRetryableError"


def describe(trial: Trial, job: Resource | None, tuning: Resource) -> dict[str, Any]:
    """The HyperParameterTrainingJobSummary of a trial."""
    definition: Definition = definitions_of(tuning.body)[trial.definition]
    body = {} if job is None else job.body
    summary = {
        "TrainingJobDefinitionName": definition.name,
        "TrainingJobName": trial.name,
        "TrainingJobArn": job.arn if job else trial.arn.replace(":tuning-trial/", ":training-job/"),
        "CreationTime": job.created if job else tuning.created,
        "TrainingStartTime": body.get("TrainingStartTime"),
        "TrainingEndTime": body.get("TrainingEndTime"),
        "TrainingJobStatus": trial.status if trial.ended or job is None else job.status,
        "TunedHyperParameters": trial.values,
        "FailureReason": body.get("FailureReason"),
        "ObjectiveStatus": objective_status(trial),
    }
    if trial.objective is not None:
        kind = "Maximize" if definition.maximize else "Minimize"
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": kind,
            "MetricName": definition.metric,
            "Value": trial.objective,
        }
    return {name: value for name, value in summary.items() if value is not None}
