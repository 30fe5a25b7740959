"""Tuning steps: one hyper-parameter tuning job each (CreateHyperParameterTuningJob).

Their properties are the job's description and, as ``TrainingJobSummaries``, its 50 best training jobs, the best first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator.engine.definition import StepDefinition
from emulator.engine.expressions import Reference
from emulator.engine.names import tuning_job_name
from emulator.engine.paths import Member
from emulator.engine.retries import JOB_INTERNAL_ERROR
from emulator.engine.shapes import check_path, output_shape
from emulator.engine.steps.executor import Host, StepRun, Work, register
from emulator.engine.steps.job import JobExecutor
from emulator.engine.transitions import SUCCEEDED

DEFINITIONS = ("TrainingJobDefinition", "TrainingJobDefinitions")
DEFINITION_CACHED_BY = (
    *("AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters"),
    "TuningObjective",
)
"""What counts of a training job definition (Developer Guide, "Default cache key attributes by pipeline step type"); of
each of several too, where the guide does not say."""
SUMMARIES = "TrainingJobSummaries"
LIST = "ListTrainingJobsForHyperParameterTuningJob"
KEPT = 50


@register
class Tuning(JobExecutor):
    type = "Tuning"
    kind = "HyperParameterTuningJob"
    create = "CreateHyperParameterTuningJob"
    describe = "DescribeHyperParameterTuningJob"
    stop_operation = "StopHyperParameterTuningJob"
    cached_by = ("HyperParameterTuningJobConfig", *DEFINITIONS)

    def images(self, step: StepDefinition) -> tuple[Any, ...]:
        several = step.arguments.get("TrainingJobDefinitions")
        definitions = several if isinstance(several, list) else [step.arguments.get("TrainingJobDefinition", {})]
        return tuple(item.get("AlgorithmSpecification", {}).get("TrainingImage") for item in definitions)

    def check_reference(self, reference: Reference) -> None:
        listed = reference.path[:1] == (Member(SUMMARIES),)
        check_path(output_shape(LIST if listed else self.describe), reference.path)

    def job_name(self, execution: str, step: str, prefix: str | None) -> str:
        return tuning_job_name(execution, step, prefix)

    def follow(self, run: StepRun, host: Host) -> Work:
        work = super().follow(run, host)
        if work.error == JOB_INTERNAL_ERROR:  # tuning jobs try again by themselves, whatever a policy says
            return replace(work, error="")
        if work.status != SUCCEEDED:
            return work
        return replace(work, properties=work.properties | {SUMMARIES: self._best(work.properties, host)})

    def cache_values(self, run: StepRun) -> dict[str, Any] | None:
        values = super().cache_values(run) or {}
        return values | {member: _counting(values[member]) for member in DEFINITIONS if member in values}

    def _best(self, job: dict[str, Any], host: Host) -> list[dict[str, Any]]:
        objective = (job.get("BestTrainingJob") or {}).get("FinalHyperParameterTuningJobObjectiveMetric", {})
        request = {
            "HyperParameterTuningJobName": job["HyperParameterTuningJobName"],
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Ascending" if objective.get("Type") == "Minimize" else "Descending",
            "MaxResults": KEPT,
        }
        found: list[dict[str, Any]] = host.invoke(LIST, request)[SUMMARIES]
        return found

    def _metadata(self, arn: str) -> dict[str, Any]:
        return {"TuningJob": {"Arn": arn}}


def _counting(definition: Any) -> Any:
    if isinstance(definition, list):
        return [_counting(item) for item in definition]
    return {member: definition[member] for member in DEFINITION_CACHED_BY if member in definition}
