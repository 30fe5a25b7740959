"""Logs of the jobs behind an execution's steps, from CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.connection import Connection

GROUPS = {
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}
"""Log group of each kind of job, by its name in a step's metadata."""


def job_of(step: dict[str, Any]) -> tuple[str, str] | None:
    """Kind and name of the job behind a step as ListPipelineExecutionSteps gives it; None if it has no log."""
    for kind, details in (step.get("Metadata") or {}).items():
        if kind in GROUPS and details.get("Arn"):
            return kind, str(details["Arn"]).rpartition("/")[2]
    return None


def read_log(connection: Connection, step: dict[str, Any]) -> Iterator[str]:
    """Every line of a step's log, stream by stream, from the beginning."""
    for group, stream in _streams(connection, step):
        request: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
        while True:
            answer = connection.logs.get_log_events(**request)
            yield from (event["message"] for event in answer["events"])
            if answer["nextForwardToken"] == request.get("nextToken") or not answer["events"]:
                break
            request["nextToken"] = answer["nextForwardToken"]


def tail_log(connection: Connection, step: dict[str, Any], lines: int) -> list[str]:
    """The last lines of a step's log, over all of its streams."""
    found: list[tuple[int, str]] = []
    for group, stream in _streams(connection, step):
        answer = connection.logs.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=False, limit=lines
        )
        found += [(event["timestamp"], event["message"]) for event in answer["events"]]
    found.sort(key=lambda event: event[0])
    return [message for _, message in found[-lines:]]


def _streams(connection: Connection, step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from botocore.exceptions import ClientError

    job = job_of(step)
    if job is None:
        return
    group = GROUPS[job[0]]
    pages = connection.logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix=f"{job[1]}/"
    )
    try:
        for page in pages:
            yield from ((group, stream["logStreamName"]) for stream in page["logStreams"])
    except ClientError as error:
        if not is_missing(error):  # a group is made by its first log line
            raise
