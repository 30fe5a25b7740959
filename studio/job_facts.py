"""What only jobs of one kind have to say, or only some of them: spot, warm pools, experiments, rules, tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def facts_of(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values; those without a value are not shown."""
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
    yield from _spot_facts(document)
    yield from _pool_facts(document)
    yield "Experiment", " · ".join(_experiment(document.get("ExperimentConfig") or {}))
    yield "Stage", document.get("SecondaryStatus") or document.get("AutoMLJobSecondaryStatus")
    yield "Time limit", _with_unit((document.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds"), "s")


def _spot_facts(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Spot: what it saved, how often its instances were taken away, where it keeps what it goes on from."""
    if document.get("EnableManagedSpotTraining"):
        billed, took = document.get("BillableTimeInSeconds"), document.get("TrainingTimeInSeconds")
        saved = f", {100 * (1 - billed / took):.0f} % saved" if took and billed is not None and billed <= took else ""
        yield "Spot", f"managed spot training{saved}"
        yield (
            "Wait for spot",
            _with_unit((document.get("StoppingCondition") or {}).get("MaxWaitTimeInSeconds"), "s at most"),
        )
    transitions = document.get("SecondaryStatusTransitions") or []
    interrupted = sum(transition.get("Status") == "Interrupted" for transition in transitions)
    yield "Interrupted", {0: None, 1: "once"}.get(interrupted, f"{interrupted} times")
    yield "Checkpoints", (document.get("CheckpointConfig") or {}).get("S3Uri")
    yield "Retries", _with_unit((document.get("RetryStrategy") or {}).get("MaximumRetryAttempts"), "at most")


def _pool_facts(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A warm pool: how long it is kept, what has become of it."""
    yield "Kept warm", _with_unit((document.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds"), "s")
    pool = document.get("WarmPoolStatus") or {}
    reused = f" by {pool['ReusedByJob']}" if pool.get("ReusedByJob") else ""
    yield "Warm pool", f"{pool.get('Status', '')}{reused}".strip()
    yield "Warm pool billed", _with_unit(pool.get("ResourceRetainedBillableTimeInSeconds"), "s")


def _experiment(config: Mapping[str, Any]) -> Iterator[str]:
    names = ("ExperimentName", "TrialName", "RunName", "TrialComponentDisplayName")
    return (str(config[name]) for name in names if config.get(name))


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
