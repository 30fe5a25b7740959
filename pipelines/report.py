"""What an execution came to: its metrics, the model package, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.connection import Connection
from pipelines.definition import Step
from pipelines.jobs import describe_job, job_of
from pipelines.storage import read_json


@dataclass(frozen=True)
class Metric:
    """A figure of a step: from a training job's log, or from a report that a processing step wrote."""

    step: str
    name: str
    value: float


def metrics(connection: Connection, steps: list[dict[str, Any]], definition: list[Step]) -> list[Metric]:
    """Final metrics of the training jobs, and the figures of the reports (property files) of processing jobs."""
    bodies = {step.name: step.body for step in definition}
    found: list[Metric] = []
    for step in steps:
        job = job_of(step)
        if step["StepStatus"] != "Succeeded" or job is None:
            continue
        files = bodies.get(step["StepName"], {}).get("PropertyFiles") or []
        if job[0].name == "TrainingJob":
            described = describe_job(connection, *job)
            found += _training_metrics(step["StepName"], described)
        elif files:
            described = describe_job(connection, *job)
            found += _report_metrics(connection, step["StepName"], described, files)
    return found


def model_package(steps: list[dict[str, Any]]) -> str | None:
    """ARN of the model package that the execution registered."""
    arns = [((step.get("Metadata") or {}).get("RegisterModel") or {}).get("Arn") for step in steps]
    return next((arn for arn in reversed(arns) if arn), None)


def duration(step: dict[str, Any], now: datetime | None = None) -> float:
    """Seconds that a step has taken, so far if it has not ended."""
    start = step.get("StartTime")
    end = step.get("EndTime") or now or datetime.now(UTC)
    return max(0.0, (end - start).total_seconds()) if start else 0.0


def flatten(report: Any) -> Iterator[tuple[str, float]]:
    """Figures of a model-quality report: every ``{"value": number}``, named by the key it stands under."""
    if not isinstance(report, dict):
        return
    for name, item in report.items():
        if isinstance(item, dict) and isinstance(item.get("value"), (int, float)):
            yield str(name), float(item["value"])
        else:
            yield from flatten(item)


def _training_metrics(step: str, job: dict[str, Any]) -> list[Metric]:
    return [Metric(step, item["MetricName"], float(item["Value"])) for item in job.get("FinalMetricDataList") or ()]


def _report_metrics(
    connection: Connection, step: str, job: dict[str, Any], files: list[dict[str, Any]]
) -> list[Metric]:
    outputs = {
        output["OutputName"]: output.get("S3Output", {}).get("S3Uri")
        for output in (job.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    }
    found: list[Metric] = []
    for file in files:
        if uri := outputs.get(file["OutputName"]):
            report = read_json(connection, f"{uri.rstrip('/')}/{file['FilePath']}")
            found += [Metric(step, name, value) for name, value in flatten(report)]
    return found
