"""When a tuning job has enough: all its jobs, its target, no better ones any more, or nothing but failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.jobs.tuning.summary import best, succeeded
from emulator.jobs.tuning.trials import Trial

HOPELESS = 5
"""Jobs that fail, or say nothing of the objective, before AWS gives a tuning job up."""
CONVERGED = 15
"""Jobs without a better one after which ``CompleteOnConvergence`` ends a tuning job. AWS does not say how many."""
NO_SUCCESS = (
    "No training job succeeded after {} attempts. Please take a look at the training job failures to get more details."
)
ALL_FAILED = "All training jobs failed. Please take a look at the training jobs failures to get more details."
NO_METRICS = (
    "No objective metrics found after running {} training jobs. Please ensure that the custom algorithm is emitting the"
    " objective metric as defined by the regular expression provided."
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a tuning job ends once its running jobs have been stopped."""

    status: str
    reason: str | None = None
    members: Mapping[str, Any] | None = None


def decide(config: Mapping[str, Any], trials: Sequence[Trial], age: float, *, maximize: bool) -> Ending | None:
    """Why no further job is to be launched and the running ones are to be stopped, None if they go on."""
    ended = [trial for trial in trials if trial.ended]
    if hopeless := _hopeless(ended):
        return Ending("Failed", hopeless)
    if age > config["ResourceLimits"].get("MaxRuntimeInSeconds", float("inf")):
        return Ending("Completed")
    criteria = config.get("TuningJobCompletionCriteria", {})
    target = criteria.get("TargetObjectiveMetricValue")
    leader = best(ended, maximize=maximize)
    if leader is None or leader.objective is None:
        return None
    if target is not None and (leader.objective >= target if maximize else leader.objective <= target):
        return Ending("Completed")
    since = stagnation(ended, maximize=maximize)
    if since >= criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving", float("inf")):
        return Ending("Completed")
    convergence = criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence", "Disabled")
    return Ending("Completed", None, {"Converged": True}) if convergence == "Enabled" and since >= CONVERGED else None


def stagnation(ended: Sequence[Trial], *, maximize: bool) -> int:
    """How many jobs with an objective were launched after the best one."""
    leader = best(ended, maximize=maximize)
    return 0 if leader is None else sum(trial.number > leader.number for trial in succeeded(ended))


def exhausted(trials: Sequence[Trial]) -> Ending:
    """How a tuning job ends whose last job has ended."""
    if not succeeded(trials):
        everything_failed = all(trial.status == "Failed" for trial in trials)
        return Ending("Failed", ALL_FAILED if everything_failed else NO_METRICS.format(len(trials)))
    return Ending("Completed")


def _hopeless(ended: Sequence[Trial]) -> str | None:
    if len(ended) < HOPELESS or succeeded(ended):
        return None
    if all(trial.status == "Failed" for trial in ended):
        return NO_SUCCESS.format(len(ended))
    return NO_METRICS.format(len(ended))
