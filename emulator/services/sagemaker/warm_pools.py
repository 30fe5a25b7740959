"""Warm pools: instances that a training job keeps for the next one like it (Developer Guide, "Managed Warm Pools").

Every job here starts warm, so a pool makes nothing faster. It is told of all the same: what a job's pool is follows
from the job and the clock, until another job takes it over or an update ends it, which is written into the job.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from emulator.aws.errors import ValidationException
from emulator.jobs.failures import is_internal
from emulator.jobs.training import KIND
from emulator.services.context import Context
from emulator.services.sagemaker.instance_preferences import SELECTED
from emulator.services.sagemaker.jobs import FINISHED
from emulator.store.resources import Query, Resource

STATUS = "WarmPoolStatus"
MARK = "KeepsWarmPool"
"""Member of a job's body, not of its description: 1 where it was created with a pool."""
LONGEST = 21_600
"""Seconds that AWS keeps a pool at most (API shape KeepAlivePeriodInSeconds)."""
_SAME = (
    ("RoleArn",),
    ("ResourceConfig", "InstanceType"),
    ("ResourceConfig", "InstanceCount"),
    *(("ResourceConfig", member) for member in SELECTED),
    ("ResourceConfig", "VolumeSizeInGB"),
    ("ResourceConfig", "VolumeKmsKeyId"),
    ("VpcConfig",),
    ("EnableInterContainerTrafficEncryption",),
    ("EnableNetworkIsolation",),
    ("SessionChainingConfig",),
)
"""What two jobs must have in common for the second to use the first one's pool."""


def check(body: dict[str, Any]) -> None:
    """Check what a new job says of its pool, and mark the job if it has one.

    Raises:
        ValidationException: a pool is asked for that AWS does not keep.
    """
    resources = body["ResourceConfig"]
    if not resources.get("KeepAlivePeriodInSeconds"):
        return
    if body["EnableManagedSpotTraining"]:
        raise ValidationException("KeepAlivePeriodInSeconds is not supported with managed spot training")
    if resources.get("InstanceGroups"):
        raise ValidationException("KeepAlivePeriodInSeconds is not supported with InstanceGroups")
    body[MARK] = 1


def status(job: Resource, now: float) -> dict[str, Any] | None:
    """What Describe and List say of a job's pool at ``now`` (Unix seconds); None if it has none."""
    final: dict[str, Any] | None = job.body.get(STATUS)
    keep = job.body["ResourceConfig"].get("KeepAlivePeriodInSeconds")
    if final is not None or not keep:
        return final
    if job.status not in FINISHED:
        return {"Status": "InUse"}
    if "TrainingStartTime" not in job.body or is_internal(job.body.get("FailureReason")):
        return None
    retained = now - job.body["TrainingEndTime"]
    return {"Status": "Available"} if retained < keep else _ended("Terminated", keep)


def take_over(context: Context, new: Resource, now: float) -> None:
    """Let a new job use the pool of the job that ended first among those whose pool is available and fits."""
    candidates = (job for job in _finished(context, now) if _fits(job.body, new.body) and _is_available(job, now))
    chosen = min(candidates, key=lambda job: float(job.body["TrainingEndTime"]), default=None)
    if chosen is not None:
        reused = {**_ended("Reused", now - chosen.body["TrainingEndTime"]), "ReusedByJob": new.name}
        context.app.resources.update(chosen.arn, lambda job: job.body.update({STATUS: reused}))


def keep_alive(job: Resource, seconds: int, now: float) -> None:
    """Change how long a job's pool is kept; 0 ends it.

    Raises:
        ValidationException: the job has no pool any more.
    """
    pool = status(job, now)
    if pool is None or pool["Status"] not in ("InUse", "Available"):
        raise ValidationException(
            f"KeepAlivePeriodInSeconds of {job.name} cannot be updated: its warm pool is "
            + ("not there" if pool is None else pool["Status"])
        )
    job.body["ResourceConfig"] = {**job.body["ResourceConfig"], "KeepAlivePeriodInSeconds": seconds}
    if not seconds and job.status in FINISHED:
        job.body[STATUS] = _ended("Terminated", now - job.body["TrainingEndTime"])


def _is_available(job: Resource, now: float) -> bool:
    pool = status(job, now)
    return pool is not None and pool["Status"] == "Available"


def _finished(context: Context, now: float) -> Iterator[Resource]:
    """The jobs with a pool that have ended, as far as it may still be there."""
    for state in FINISHED:
        query = Query(KIND, status=state, members={MARK: 1}, modified_after=now - LONGEST)
        yield from context.app.resources.walk(context.scope, query)


def _fits(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(_member(one, path) == _member(other, path) for path in _SAME)


def _member(body: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = body
    for name in path:
        value = (value or {}).get(name)
    return value


def _ended(state: str, retained: float) -> dict[str, Any]:
    return {"Status": state, "ResourceRetainedBillableTimeInSeconds": max(0, math.ceil(retained))}
