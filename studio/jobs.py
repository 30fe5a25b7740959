"""Jobs of every kind: how to list, describe and stop them, and where their logs are. A kind is a row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.aws import Aws

GROUP = "/aws/sagemaker"
REMEMBERED = 2000
"""Jobs that have ended, whose descriptions are asked for once."""


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
_LIST = {"AutoMLJobV2": ("list_auto_ml_jobs", "AutoMLJobSummaries", "AutoMLJobStatus", "AutoMLJobArn")}


@dataclass(frozen=True, slots=True)
class JobSummary:
    kind: str
    name: str
    status: str
    created: datetime | None
    ended: datetime | None


def list_jobs(
    aws: Aws, kind: Kind, *, contains: str | None, status: str | None, order: str, after: str | None, limit: int = 100
) -> tuple[list[JobSummary], str | None]:
    """A page of jobs, and the token of the next one.

    Raises:
        Problem: AWS refused, or does not serve this kind.
    """
    default = f"list_{kind.method}s", f"{kind.stem}Summaries", f"{kind.stem}Status", ""
    method, member, status_member, _ = _LIST.get(kind.stem, default)
    page = aws.sagemaker(
        method,
        NameContains=contains,
        StatusEquals=status,
        SortBy="CreationTime",
        SortOrder="Ascending" if order == "oldest" else "Descending",
        NextToken=after,
        MaxResults=limit,
    )
    return [_summary(kind, status_member, item) for item in page.get(member, [])], page.get("NextToken")


def describe_job(aws: Aws, kind: Kind, name: str) -> dict[str, Any]:
    """What Describe… says.

    Raises:
        Problem: AWS refused, or there is no such job.
    """
    remembered: dict[str, Any] | None = aws.ended.get((kind.slug, name))
    if remembered is not None:
        return remembered
    answer = aws.sagemaker(f"describe_{kind.method}", **{kind.name_member: name})
    answer.pop("ResponseMetadata", None)
    if view_job(kind, answer).status in ("Completed", "Failed", "Stopped"):
        if len(aws.ended) >= REMEMBERED:
            aws.ended.clear()
        aws.ended[kind.slug, name] = answer
    return answer


def _summary(kind: Kind, status_member: str, item: Mapping[str, Any]) -> JobSummary:
    ended = next(
        (item[m] for m in ("ProcessingEndTime", "TrainingEndTime", "TransformEndTime", "EndTime") if item.get(m)), None
    )
    if ended is None and item.get(status_member) not in ("InProgress", "Stopping"):
        ended = item.get("LastModifiedTime")
    return JobSummary(kind.slug, item[kind.name_member], item.get(status_member, ""), item.get("CreationTime"), ended)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A place in S3 that a job reads or writes."""

    name: str
    uri: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its pages show it, whatever its kind."""

    kind: Kind
    name: str
    arn: str
    status: str
    reason: str
    image: str
    instance: str
    role: str
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    inputs: tuple[Artifact, ...]
    outputs: tuple[Artifact, ...]
    settings: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    command: str
    metrics: tuple[tuple[str, float], ...]
    metric_patterns: tuple[tuple[str, str], ...]
    billable_seconds: float | None
    instance_count: int

    @property
    def is_under_way(self) -> bool:
        return self.status in ("InProgress", "Stopping")


def view_job(kind: Kind, document: Mapping[str, Any]) -> JobView:
    """Read a Describe answer; every kind says the same things in other places."""
    specification = document.get("AlgorithmSpecification") or document.get("AppSpecification") or {}
    cluster = _cluster(document)
    metrics = [(m["MetricName"], float(m["Value"])) for m in document.get("FinalMetricDataList") or []]
    patterns = [(m["Name"], m["Regex"]) for m in specification.get("MetricDefinitions") or []]
    command = [*(specification.get("ContainerEntrypoint") or []), *(specification.get("ContainerArguments") or [])]
    return JobView(
        kind=kind,
        name=document[kind.name_member],
        arn=document.get(f"{kind.stem.removesuffix('V2')}Arn", ""),
        status=document.get(f"{kind.stem.removesuffix('V2')}Status", ""),
        reason=document.get("FailureReason") or document.get("ExitMessage") or "",
        image=specification.get("TrainingImage") or specification.get("ImageUri") or "",
        instance=_instance(cluster),
        role=document.get("RoleArn", ""),
        created=document.get("CreationTime"),
        started=document.get("TrainingStartTime")
        or document.get("ProcessingStartTime")
        or document.get("CreationTime"),
        ended=next((document[m] for m in _ENDS if document.get(m)), None),
        inputs=tuple(_inputs(document)),
        outputs=tuple(_outputs(document)),
        settings=tuple(sorted((document.get("HyperParameters") or {}).items())),
        environment=tuple(sorted((document.get("Environment") or {}).items())),
        command=" ".join(command),
        metrics=tuple(metrics),
        metric_patterns=tuple(patterns),
        billable_seconds=document.get("BillableTimeInSeconds"),
        instance_count=int(cluster.get("InstanceCount") or 1),
    )


_ENDS = ("TrainingEndTime", "ProcessingEndTime", "TransformEndTime", "HyperParameterTuningEndTime", "EndTime")


def _cluster(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        document.get("ResourceConfig")
        or document.get("TransformResources")
        or (document.get("ProcessingResources") or {}).get("ClusterConfig")
        or {}
    )
    return found


def _instance(cluster: Mapping[str, Any]) -> str:
    if not cluster.get("InstanceType"):
        return ""
    count = cluster.get("InstanceCount") or 1
    return str(cluster["InstanceType"]) + (f", {count} instances" if count != 1 else "")


def _inputs(document: Mapping[str, Any]) -> list[Artifact]:
    found = []
    for item in document.get("InputDataConfig") or []:
        if isinstance(item, Mapping) and "ChannelName" in item:
            source = (item.get("DataSource") or {}).get("S3DataSource") or {}
            found.append(
                Artifact(item["ChannelName"], source.get("S3Uri", ""), f"/opt/ml/input/data/{item['ChannelName']}")
            )
    for item in document.get("ProcessingInputs") or []:
        source = item.get("S3Input") or {}
        found.append(Artifact(item["InputName"], source.get("S3Uri", ""), source.get("LocalPath", "")))
    if transform := (document.get("TransformInput") or {}).get("DataSource"):
        found.append(Artifact("input", (transform.get("S3DataSource") or {}).get("S3Uri", "")))
    return found


def _outputs(document: Mapping[str, Any]) -> list[Artifact]:
    found = []
    if model := (document.get("ModelArtifacts") or {}).get("S3ModelArtifacts"):
        found.append(Artifact("model", model, "/opt/ml/model"))
    for item in (document.get("ProcessingOutputConfig") or {}).get("Outputs") or []:
        target = item.get("S3Output") or {}
        found.append(Artifact(item["OutputName"], target.get("S3Uri", ""), target.get("LocalPath", "")))
    if path := (document.get("TransformOutput") or {}).get("S3OutputPath"):
        found.append(Artifact("output", path))
    return found
