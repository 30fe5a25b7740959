"""Jobs of every kind: how to list, describe and stop them, and where their logs are. A kind is a row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.aws import Aws

GROUP = "/aws/sagemaker"
PAGE = 50
END_MEMBERS = ("TrainingEndTime", "ProcessingEndTime", "TransformEndTime", "HyperParameterTuningEndTime", "EndTime")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job. ``stem`` is its name in operations: List<stem>s, Describe<stem>, Stop<stem>."""

    title: str
    stem: str
    name_member: str
    log_group: str | None

    @property
    def slug(self) -> str:
        return self.title.lower()

    @property
    def status_member(self) -> str:
        return f"{self.stem.removesuffix('V2')}Status"

    @property
    def arn_member(self) -> str:
        return f"{self.stem.removesuffix('V2')}Arn"

    @property
    def method(self) -> str:
        return {"HyperParameterTuningJob": "hyper_parameter_tuning_job", "AutoMLJobV2": "auto_ml_job_v2"}.get(
            self.stem, "".join("_" + c.lower() if c.isupper() else c for c in self.stem).lstrip("_")
        )


KINDS = {
    kind.slug: kind
    for kind in (
        Kind("Processing", "ProcessingJob", "ProcessingJobName", f"{GROUP}/ProcessingJobs"),
        Kind("Training", "TrainingJob", "TrainingJobName", f"{GROUP}/TrainingJobs"),
        Kind("Transform", "TransformJob", "TransformJobName", f"{GROUP}/TransformJobs"),
        Kind("Tuning", "HyperParameterTuningJob", "HyperParameterTuningJobName", None),
        Kind("AutoML", "AutoMLJobV2", "AutoMLJobName", None),
    )
}
_LIST = {"AutoMLJobV2": ("list_auto_ml_jobs", "AutoMLJobSummaries")}
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class JobSummary:
    kind: str
    name: str
    status: str
    created: datetime | None
    ended: datetime | None


def list_jobs(
    aws: Aws, kind: Kind, *, contains: str | None, status: str | None, order: str, after: str | None, limit: int = PAGE
) -> tuple[list[JobSummary], str | None]:
    """A page of jobs, and the token of the next one.

    Raises:
        Problem: AWS refused, or does not serve this kind.
    """
    method, member = _LIST.get(kind.stem, (f"list_{kind.method}s", f"{kind.stem}Summaries"))
    page = aws.sagemaker(
        method,
        NameContains=contains,
        StatusEquals=status,
        SortBy="CreationTime",
        SortOrder="Ascending" if order == "oldest" else "Descending",
        NextToken=after,
        MaxResults=limit,
    )
    return [_summary(kind, item) for item in page.get(member, [])], page.get("NextToken")


def describe_job(aws: Aws, kind: Kind, name: str) -> dict[str, Any]:
    """What Describe… says.

    Raises:
        Problem: AWS refused, or there is no such job.
    """
    if remembered := aws.ended.get((kind.slug, name)):
        return remembered
    answer = aws.sagemaker(f"describe_{kind.method}", **{kind.name_member: name})
    answer.pop("ResponseMetadata", None)
    if answer.get(kind.status_member) in ENDED:
        aws.ended.put((kind.slug, name), answer)
    return answer


def _summary(kind: Kind, item: Mapping[str, Any]) -> JobSummary:
    status = item.get(kind.status_member, "")
    ended = next((item[member] for member in END_MEMBERS if item.get(member)), None)
    if ended is None and status in ENDED:
        ended = item.get("LastModifiedTime")
    return JobSummary(kind.slug, item[kind.name_member], status, item.get("CreationTime"), ended)
