"""Logs of the jobs behind an execution's steps, from CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.connection import Connection
from pipelines.jobs import describe_job, job_of


def read_log(connection: Connection, step: dict[str, Any]) -> Iterator[str]:
    """Every line of a step's log, stream by stream, from the beginning."""
    for group, stream in _streams(connection, step):
        for page in read_pages(connection, group, stream):
            yield from (event["message"] for event in page["events"])


def tail_log(connection: Connection, step: dict[str, Any], lines: int) -> list[str]:
    """The last lines of a step's log, over all of its streams."""
    found: list[dict[str, Any]] = []
    for group, stream in _streams(connection, step):
        pages = read_pages(connection, group, stream, last=lines)
        found += next((page["events"] for page in pages if page["events"]), [])
    found.sort(key=lambda event: event["timestamp"])
    return [event["message"] for event in found[-lines:]]


def read_pages(
    connection: Connection, group: str, stream: str, token: str | None = None, *, last: int | None = None
) -> Iterator[dict[str, Any]]:
    """GetLogEvents from a token (or the beginning) to the end, or backwards from the ``last`` so many events.

    A page without events is not the end: only a token that comes again is.
    """
    request: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": last is None}
    if last is not None:
        request["limit"] = last
    following = "nextForwardToken" if last is None else "nextBackwardToken"
    while True:
        answer = connection.logs.get_log_events(**request, **({"nextToken": token} if token else {}))
        yield answer
        if answer[following] == token:
            return
        token = answer[following]


def streams(connection: Connection, group: str, job: str) -> Iterator[tuple[str, str]]:
    """Group and name of each stream of a job's log; none before it has a line."""
    from botocore.exceptions import ClientError

    pages = connection.logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix=f"{job}/"
    )
    try:
        for page in pages:
            yield from ((group, stream["logStreamName"]) for stream in page["logStreams"])
    except ClientError as error:
        if not is_missing(error):  # a group is made by its first log line
            raise


def _streams(connection: Connection, step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    job = job_of(step)
    if job is not None:
        kind, arn = job
        yield from streams(connection, kind.log_group, describe_job(connection, kind, arn)[f"{kind.name}Name"])
