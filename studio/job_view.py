"""A job as its pages show it: every kind says the same things in other places of its description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    facts: tuple[tuple[str, str], ...] = ()

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
        instance=_instance(cluster),
        role=document.get("RoleArn", ""),
        created=document.get("CreationTime"),
        started=next((document[member] for member in starts if document.get(member)), None),
        ended=next((document[member] for member in END_MEMBERS if document.get(member)), None),
        inputs=tuple(_inputs(document)),
        outputs=tuple(_outputs(document)),
        settings=tuple(
            sorted((document.get("HyperParameters") or document.get("StaticHyperParameters") or {}).items())
        ),
        environment=tuple(sorted((document.get("Environment") or {}).items())),
        command=" ".join(command),
        metrics=tuple(_metrics(document)),
        metric_patterns=tuple((m["Name"], m["Regex"]) for m in specification.get("MetricDefinitions") or []),
        billable_seconds=document.get("BillableTimeInSeconds"),
        instance_count=int(cluster.get("InstanceCount") or cluster.get("CurrentInstanceCount") or 1),
        facts=tuple((name, str(value)) for name, value in _facts(document) if value not in (None, "")),
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


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What only jobs of one kind have to say."""
    yield "Model", document.get("ModelName")
    yield "Batch strategy", document.get("BatchStrategy")
    yield "Payload", _with_unit(document.get("MaxPayloadInMB"), "MB at most")
    yield "At a time", _with_unit(document.get("MaxConcurrentTransforms"), "requests")
    yield "Content type", (document.get("TransformInput") or {}).get("ContentType")
    yield from _tuning_facts(document.get("HyperParameterTuningJobConfig") or {})
    yield "Problem", document.get("AutoMLProblemTypeConfigName")
    yield "Objective", (document.get("AutoMLJobObjective") or {}).get("MetricName")
    for member in ("DebugRuleEvaluationStatuses", "ProfilerRuleEvaluationStatuses"):
        for rule in document.get(member) or []:
            said = f"{rule.get('RuleEvaluationStatus', '')} {rule.get('StatusDetails') or ''}"
            yield f"Rule {rule.get('RuleConfigurationName', '')}", said.strip()
    yield "Stage", document.get("SecondaryStatus") or document.get("AutoMLJobSecondaryStatus")
    yield "Time limit", _with_unit((document.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds"), "s")


def _tuning_facts(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    objective, limits = config.get("HyperParameterTuningJobObjective") or {}, config.get("ResourceLimits") or {}
    yield "Strategy", config.get("Strategy")
    yield "Objective", f"{objective['Type']} {objective['MetricName']}" if objective else None
    yield "Jobs", _with_unit(limits.get("MaxNumberOfTrainingJobs"), "at most")
    yield "At a time", _with_unit(limits.get("MaxParallelTrainingJobs"), "jobs")
    for ranges in (config.get("ParameterRanges") or {}).values():
        for item in ranges if isinstance(ranges, list) else []:
            values = ", ".join(item.get("Values") or [])
            yield f"Range of {item['Name']}", values or f"{item.get('MinValue')} to {item.get('MaxValue')}"


def _with_unit(value: Any, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"


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
    for member in ("TransformOutput", "OutputDataConfig"):
        path = (document.get(member) or {}).get("S3OutputPath")
        if path and not found:
            found.append(Artifact("output", path))
    return found
