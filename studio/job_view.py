"""A job as its pages show it: every kind says the same things in other places of its description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studio.job_facts import facts_of
from studio.jobs import END_MEMBERS, Kind


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
    machines: tuple[tuple[str, int], ...]
    """Instance types, and how many of each."""
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def instance(self) -> str:
        return ", ".join(name + (f", {n} instances" if n != 1 else "") for name, n in self.machines)

    @property
    def instance_count(self) -> int:
        return sum(count for _, count in self.machines) or 1

    @property
    def hosts(self) -> list[str]:
        """The names of its machines, as in its log streams."""
        return [f"algo-{number + 1}" for number in range(self.instance_count)]

    @property
    def is_under_way(self) -> bool:
        return self.status in ("InProgress", "Stopping")


def view_job(kind: Kind, document: Mapping[str, Any]) -> JobView:
    """Read a Describe answer; of a tuning job with what all its training jobs have in common."""
    document = {**_definition(document), **document}
    specification = document.get("AlgorithmSpecification") or document.get("AppSpecification") or {}
    cluster = _cluster(document)
    command = [*(specification.get("ContainerEntrypoint") or []), *(specification.get("ContainerArguments") or [])]
    starts = ("TrainingStartTime", "ProcessingStartTime", "TransformStartTime", "CreationTime")
    return JobView(
        kind=kind,
        name=document[kind.name_member],
        arn=document.get(kind.arn_member, ""),
        status=document.get(kind.status_member, ""),
        reason=document.get("FailureReason") or document.get("ExitMessage") or "",
        image=specification.get("TrainingImage") or specification.get("ImageUri") or "",
        role=document.get("RoleArn", ""),
        created=document.get("CreationTime"),
        started=next((document[member] for member in starts if document.get(member)), None),
        ended=next((document[member] for member in END_MEMBERS if document.get(member)), None),
        inputs=tuple(_inputs(document)),
        outputs=tuple(_outputs(document)),
        settings=tuple(sorted(_settings(document).items())),
        environment=tuple(sorted((document.get("Environment") or {}).items())),
        command=" ".join(command),
        metrics=tuple(_metrics(document)),
        metric_patterns=tuple((m["Name"], m["Regex"]) for m in specification.get("MetricDefinitions") or []),
        billable_seconds=document.get("BillableTimeInSeconds"),
        machines=tuple(_machines(cluster)),
        facts=tuple((name, str(value)) for name, value in facts_of(document) if value not in (None, "")),
    )


def _definition(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the training jobs of a tuning job have in common."""
    several = document.get("TrainingJobDefinitions") or [{}]
    found: Mapping[str, Any] = document.get("TrainingJobDefinition") or several[0]
    return found


def _settings(document: Mapping[str, Any]) -> Mapping[str, str]:
    return document.get("HyperParameters") or document.get("StaticHyperParameters") or {}


def _metrics(document: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The last value of every metric; of a tuning job, or of AutoML, the objective of the best trial."""
    for metric in document.get("FinalMetricDataList") or []:
        yield metric["MetricName"], float(metric["Value"])
    trial = document.get("BestTrainingJob") or {}
    candidate = document.get("BestCandidate") or {}
    objective = trial.get("FinalHyperParameterTuningJobObjectiveMetric") or candidate.get(
        "FinalAutoMLJobObjectiveMetric"
    )
    if objective and "Value" in objective:
        yield objective["MetricName"], float(objective["Value"])


def _cluster(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        document.get("ResourceConfig")
        or document.get("TransformResources")
        or (document.get("ProcessingResources") or {}).get("ClusterConfig")
        or {}
    )
    return found


def _machines(cluster: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Of one type, or of a type for each group; the type that was found where several were acceptable."""
    for group in cluster.get("InstanceGroups") or []:
        yield str(group.get("InstanceType", "")), int(group.get("InstanceCount") or 1)
    if instance := cluster.get("SelectedInstanceType") or cluster.get("InstanceType"):
        yield str(instance), int(cluster.get("SelectedInstanceCount") or cluster.get("InstanceCount") or 1)


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
    for member in ("TransformOutput", "OutputDataConfig"):
        path = (document.get(member) or {}).get("S3OutputPath")
        if path and not found:
            found.append(Artifact("output", path))
    return found
