"""The trials of a tuning job, and the candidates of AutoML: what was tried, and how good it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, islice
from math import isfinite
from typing import Any

from studio.aws import Aws
from studio.jobs import Kind
from studio.times import between

MOST = 500
"""Trials on a page; SageMaker allows 750 in a tuning job."""


@dataclass(frozen=True, slots=True)
class Trial:
    """``value`` is the objective; ``job`` the training job, of an AutoML candidate empty."""

    name: str
    job: str
    status: str
    value: float | None
    settings: tuple[tuple[str, str], ...]
    created: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Trials:
    """In the order in which they began. ``best`` is the name of the best one."""

    objective: str
    best: str
    items: tuple[Trial, ...]

    @property
    def names(self) -> list[str]:
        """The hyperparameters that differ from trial to trial."""
        return list(dict.fromkeys(name for trial in self.items for name, _ in trial.settings))

    @property
    def more_is_better(self) -> bool:
        """Told from the best one: AutoML does not say whether its objective is to be large."""
        best = next((trial.value for trial in self.items if trial.name == self.best), None)
        values = [trial.value for trial in self.items if trial.value is not None]
        return best is None or not values or best >= max(values)

    @property
    def ranked(self) -> list[Trial]:
        """The best first; those without a value last."""
        sign = -1 if self.more_is_better else 1
        return sorted(self.items, key=lambda trial: (trial.value is None, sign * (trial.value or 0.0)))

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The objective by number of the trial."""
        return tuple((float(n), trial.value) for n, trial in enumerate(self.items, 1) if trial.value is not None)

    @property
    def best_so_far(self) -> tuple[tuple[float, float], ...]:
        """The best objective of all trials up to each."""
        better = max if self.more_is_better else min
        values = accumulate((value for _, value in self.points), better)
        return tuple((n, value) for (n, _), value in zip(self.points, values, strict=True))


def read_trials(aws: Aws, kind: Kind, name: str, document: Mapping[str, Any]) -> Trials | None:
    """The trials of a job; None where jobs of this kind have none.

    Raises:
        Problem: AWS refused.
    """
    read = _READERS.get(kind.slug)
    return read(aws, name, document) if read else None


def _tuning(aws: Aws, name: str, document: Mapping[str, Any]) -> Trials:
    objective = (document.get("HyperParameterTuningJobConfig") or {}).get("HyperParameterTuningJobObjective") or {}
    listed = aws.every(
        "list_training_jobs_for_hyper_parameter_tuning_job",
        "TrainingJobSummaries",
        HyperParameterTuningJobName=name,
        SortBy="CreationTime",
        SortOrder="Ascending",
        MaxResults=100,
    )
    best = (document.get("BestTrainingJob") or {}).get("TrainingJobName", "")
    return Trials(objective.get("MetricName", ""), best, tuple(map(_trial, islice(listed, MOST))))


def _trial(item: Mapping[str, Any]) -> Trial:
    final = item.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    return Trial(
        name=item["TrainingJobName"],
        job=item["TrainingJobName"],
        status=item.get("TrainingJobStatus", ""),
        value=_objective(final),
        settings=tuple(sorted((item.get("TunedHyperParameters") or {}).items())),
        created=item.get("CreationTime"),
        seconds=between(item.get("TrainingStartTime"), item.get("TrainingEndTime")),
    )


def _objective(final: Mapping[str, Any]) -> float | None:
    """The objective that a trial reached; none of one that diverged, which is neither good nor bad."""
    value = final.get("Value")
    return value if value is not None and isfinite(value) else None


def _automl(aws: Aws, name: str, document: Mapping[str, Any]) -> Trials:
    listed = aws.every(
        "list_candidates_for_auto_ml_job", "Candidates", AutoMLJobName=name, SortBy="CreationTime", MaxResults=100
    )
    best = (document.get("BestCandidate") or {}).get("CandidateName", "")
    objective = (document.get("AutoMLJobObjective") or {}).get("MetricName", "")
    return Trials(objective, best, tuple(_candidates(islice(listed, MOST))))


def _candidates(items: Iterator[Mapping[str, Any]]) -> Iterator[Trial]:
    for item in items:
        final = item.get("FinalAutoMLJobObjectiveMetric") or {}
        seconds = between(item.get("CreationTime"), item.get("EndTime"))
        name, status, created = item["CandidateName"], item.get("CandidateStatus", ""), item.get("CreationTime")
        yield Trial(name, "", status, _objective(final), (), created, seconds)


_READERS: dict[str, Callable[[Aws, str, Mapping[str, Any]], Trials]] = {"tuning": _tuning, "automl": _automl}
