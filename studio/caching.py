"""Why a step was taken from the cache, or was not: the fields in which its job differs from the last one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from studio.aws import Aws
from studio.definition import Step
from studio.execution import Execution, load_states
from studio.jobs import describe_job
from studio.steps import StepState

LOOK_BACK = 10
"""Earlier executions that are looked at."""
COMPARED = (
    "AlgorithmSpecification",
    "AppSpecification",
    "HyperParameters",
    "InputDataConfig",
    "ProcessingInputs",
    "Environment",
    "ResourceConfig",
    "ProcessingResources",
    "NetworkConfig",
    "RoleArn",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the cache did in a sentence, and the fields that changed: (field, before, now)."""

    sentence: str
    earlier: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


def explain_cache(aws: Aws, execution: Execution, step: Step, state: StepState) -> Verdict | None:
    """Why the step ran, or why not; None where caching has no part in it."""
    if state.cached_from:
        return Verdict("An earlier execution had run this step with the same arguments.", state.cached_from)
    if state.job is None:
        return None
    if not (step.document.get("CacheConfig") or {}).get("Enabled"):
        return Verdict("It ran, because its definition does not enable caching.")
    looked_at, earlier = _earlier(aws, execution, step.name)
    if earlier is None:
        among = f"none of the {looked_at} executions before has a result of it" if looked_at else "it is the first one"
        return Verdict(f"It ran: {among}.")
    arn, before = earlier
    kind, name = state.job
    was, now = (_relevant(describe_job(aws, kind, job)) for job in (before, name))
    changes = tuple(differences(was, now))
    if changes:
        return Verdict("It ran, because it differs from its last run:", arn, changes)
    return Verdict("It ran although nothing differs from its last run: that result may have expired.", arn)


def _earlier(aws: Aws, execution: Execution, step: str) -> tuple[int, tuple[str, str] | None]:
    """The latest success of a step before an execution: the ARN of that execution, the name of its job.

    Before it, how many executions were looked at.
    """
    listed = aws.every(
        "list_pipeline_executions",
        "PipelineExecutionSummaries",
        PipelineName=execution.pipeline,
        CreatedBefore=execution.started,
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    others = (item["PipelineExecutionArn"] for item in listed if item["PipelineExecutionArn"] != execution.arn)
    looked_at = 0
    for looked_at, arn in enumerate(islice(others, LOOK_BACK), 1):
        state = load_states(aws, arn).get(step)
        if state and state.status == "Succeeded" and state.job:
            return looked_at, (arn, state.job[1])
    return looked_at, None


def _relevant(document: Mapping[str, Any]) -> dict[str, Any]:
    return {member: document[member] for member in COMPARED if member in document}


def differences(before: Any, now: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """The leaves in which two documents differ: (``HyperParameters.max_depth``, ``6``, ``3``)."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            yield from differences(before.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for i, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from differences(old, new, f"{path}[{_name(new, i)}]")
    elif before != now:
        yield path, _brief(before), _brief(now)


def _name(item: Any, index: int) -> str:
    names = ("ChannelName", "InputName", "OutputName", "Name")
    return (
        next((str(item[name]) for name in names if name in item), str(index)) if isinstance(item, dict) else str(index)
    )


def _brief(value: Any) -> str:
    return "none" if value is None else str(value)
