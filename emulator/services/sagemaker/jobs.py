"""What the operations of all kinds of jobs share: insert, find, list, stop, delete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import ResourceInUse, ResourceLimitExceeded, ValidationException
from emulator.aws.operations import Request
from emulator.services.context import Context
from emulator.services.sagemaker.job_components import check_config, track
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.resources import Query, Resource

DEFAULT_PAGE = 10
FINISHED = ("Completed", "Failed", "Stopped")


def insert(context: Context, kind: str, name: str, body: dict[str, Any], in_use: str) -> Resource:
    """Store a new job as InProgress and start it.

    Raises:
        ResourceInUse: the name is taken; ``in_use`` says so, followed by the ARN.
        ResourceNotFound: it names an experiment that does not exist.
    """
    tags = body.pop("Tags", [])
    check_new_tags(tags)
    check_config(context, body)
    arn = sagemaker_arn(context.account, context.region, kind, name)
    job = Resource(context.scope, kind, name, arn, body, status="InProgress")
    resources = context.app.resources
    with resources.database.transaction():
        if not resources.insert(job):
            raise ResourceInUse(f"{in_use} ({arn})")
        if tags:
            resources.add_tags(arn, tags)
        track(context, job)
    context.app.jobs.submit(job)
    return job


def check_hosts(context: Context, count: int, noun: str) -> None:
    """
    Raises:
        ResourceLimitExceeded: a job of so many instances is not run here.
    """
    limit = context.app.jobs.max_hosts
    if count > limit:
        raise ResourceLimitExceeded(
            f"The account-level service limit 'Number of instances for a {noun}' is {limit} Instances, with current"
            f" utilization of 0 Instances and a request delta of {count} Instances. Please use AWS Service Quotas to"
            " request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to"
            f" request an increase for this quota. ({context.app.jobs.max_hosts_reason})"
        )


def find(context: Context, kind: str, name: str, missing: str) -> Resource:
    """
    Raises:
        ValidationException: there is no such job. AWS answers Describe and Stop so, not with ResourceNotFound.
    """
    job = context.app.resources.get(context.scope, kind, name)
    if job is None:
        raise ValidationException(missing)
    return job


def stop(context: Context, job: Resource, noun: str, note: Callable[[Resource], None]) -> None:
    """Make a running job Stopping; ``note`` may add to its body.

    Raises:
        ValidationException: the job has ended.
    """

    def change(current: Resource) -> None:
        if current.status in FINISHED:
            raise ValidationException(f"The request was rejected because the {noun} is in status {current.status}.")
        if current.status == "InProgress":
            note(current)
            current.status = "Stopping"

    context.app.resources.update(job.arn, change)
    context.app.jobs.stop(job.arn)


def delete(context: Context, job: Resource, noun: str) -> None:
    """
    Raises:
        ResourceInUse: the job has not ended.
    """
    if job.status not in FINISHED:
        raise ResourceInUse(
            f"The {noun} {job.name} is in status {job.status}. Only a {noun} that is Completed, Failed or Stopped can"
            " be deleted."
        )
    context.app.resources.delete(job.arn)


def query(kind: str, request: Request) -> Query:
    """What a List operation of jobs asks for; AWS sorts them by creation time, ascending."""
    return Query(
        kind,
        name_contains=request.get("NameContains"),
        status=request.get("StatusEquals"),
        created_after=_seconds(request.get("CreationTimeAfter")),
        created_before=_seconds(request.get("CreationTimeBefore")),
        modified_after=_seconds(request.get("LastModifiedTimeAfter")),
        modified_before=_seconds(request.get("LastModifiedTimeBefore")),
        sort_by=request.get("SortBy", "CreationTime"),
        descending=request.get("SortOrder", "Ascending") == "Descending",
        max_results=request.get("MaxResults", DEFAULT_PAGE),
        next_token=request.get("NextToken"),
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
