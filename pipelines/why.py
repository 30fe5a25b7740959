"""Why a step ran, or from where its cached result is; told by what AWS's API answers, so it holds on AWS too.

The service compares what the documentation calls the cache key attributes of a step's type. They are compared here
between the step and its earlier successes, as DescribeProcessingJob and its siblings give them (``why_values``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipelines.cache_keys import CACHE_KEYS
from pipelines.connection import Connection
from pipelines.definition import Step
from pipelines.errors import UsageError, suggest
from pipelines.execution import describe_execution, execution_id, list_executions, list_steps
from pipelines.views import seconds
from pipelines.why_values import Run, compared_values, defined_step

LOOK_BACK = 30
"""Earlier executions that are looked at: two calls each."""
_ABSENT = "(absent)"


@dataclass(frozen=True)
class Success:
    """An earlier success of the step that did its own work, and what counts of its job."""

    execution: str
    ended: datetime
    values: dict[str, str]


def explain(connection: Connection, arn: str, name: str) -> Iterator[str]:
    """Lines that say why the step of an execution ran or did not.

    Raises:
        UsageError: the execution's pipeline has no such step, or the step has not begun.
    """
    step = defined_step(connection, arn, name)
    begun = {item["StepName"]: item for item in list_steps(connection, arn)}
    if name not in begun:
        raise UsageError(f"Step {name} has not begun in this execution{suggest(name, begun)}")
    found = begun[name]
    for member, what in (("CacheHitResult", "was a cache hit"), ("SelectiveExecutionResult", "was not selected")):
        if source := (found.get(member) or {}).get("SourcePipelineExecutionArn"):
            yield f"{name} {what}: its result is that of execution {execution_id(source)}"
            if job := Run(arn, found).arn:
                yield f"  {job}"
            return
    yield from _why_it_ran(connection, step, Run(arn, found))


def _why_it_ran(connection: Connection, step: Step, run: Run) -> Iterator[str]:
    cache = step.body.get("CacheConfig") or {}
    if step.type not in CACHE_KEYS:
        yield f"{step.name} ran: AWS caches no steps of type {step.type}, only {', '.join(CACHE_KEYS)}"
    elif not cache.get("Enabled"):
        yield f"{step.name} ran because its caching is off (CacheConfig.Enabled in the definition)"
    elif run.metadata is None:
        yield f"{step.name} has not created a job, so there is nothing to compare yet"
    else:
        yield from _compare(connection, step, run, cache.get("ExpireAfter"))


def _compare(connection: Connection, step: Step, run: Run, expire_after: str | None) -> Iterator[str]:
    now, begun = compared_values(connection, step, run), run.item["StartTime"]
    successes = list(_earlier(connection, step, run))
    if not successes:
        yield f"{step.name} ran because it did not succeed before, in the {LOOK_BACK} executions before this one"
        return
    nearest = min(successes, key=lambda it: len(_differences(it.values, now)))
    changed = _differences(nearest.values, now)
    if not changed:
        age = seconds((begun - nearest.ended).total_seconds())
        yield f"{step.name} ran because the equal result of execution {execution_id(nearest.execution)} had expired:"
        yield f"  it was {age} old, and ExpireAfter is {expire_after or 'not set'}"
        return
    yield f"{step.name} ran because of what changed since execution {execution_id(nearest.execution)}:"
    for path in changed:
        yield f"  {path}: {nearest.values.get(path, _ABSENT)} -> {now.get(path, _ABSENT)}"
    yield from _hints(run.execution, step, [now.get(path, "") for path in changed])


def _hints(arn: str, step: Step, values: list[str]) -> Iterator[str]:
    """If values are of this very execution, a step before this one ran anew."""
    identifier = execution_id(arn)
    if step.after and any(identifier in value for value in values):
        yield f"  Values with {identifier} come from a step before it. Next: pipelines why {identifier} {step.after[0]}"


def _earlier(connection: Connection, step: Step, run: Run) -> Iterator[Success]:
    """Successes of the step that ended before it began here, newest execution first; cache hits are none."""
    begun = run.item["StartTime"]
    pipeline = str(describe_execution(connection, run.execution)["PipelineArn"])
    for summary in list_executions(connection, pipeline, LOOK_BACK + 1):
        other = summary["PipelineExecutionArn"]
        if other == run.execution or summary["StartTime"] >= begun:
            continue
        for item in list_steps(connection, other):
            done = item["StepName"] == step.name and item["StepStatus"] == "Succeeded" and item["EndTime"] <= begun
            earlier = Run(other, item)
            if done and not item.get("CacheHitResult") and earlier.metadata is not None:
                yield Success(other, item["EndTime"], compared_values(connection, step, earlier))


def _differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [path for path in {**before, **after} if before.get(path) != after.get(path)]
