"""Executions of a deployed pipeline: starting, finding, listing and stopping them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.catalog import NAME
from pipelines.connection import Connection
from pipelines.definition import parameters
from pipelines.deployed import deployed_pipeline, describe, not_deployed
from pipelines.errors import UsageError
from pipelines.parameters import check_parameters

EXECUTION_ID = re.compile(r"[a-z0-9]{12}")
ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
"""Statuses that an execution does not leave."""


def execution_id(arn: str) -> str:
    """The short id at the end of an execution's ARN."""
    return arn.rpartition("/")[2]


def start_execution(connection: Connection, name: str, given: Iterable[str]) -> str:
    """Start a deployed pipeline with checked parameters ``NAME=VALUE``; the ARN of the execution."""
    definition = json.loads(deployed_pipeline(connection, name)["PipelineDefinition"])
    values = check_parameters(given, parameters(definition), name)
    answer = connection.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=values)
    return str(answer["PipelineExecutionArn"])


def list_executions(connection: Connection, name: str, limit: int) -> list[dict[str, Any]]:
    """Summaries of the latest executions of a pipeline, newest first."""
    from botocore.exceptions import ClientError

    try:
        answer = connection.sagemaker.list_pipeline_executions(
            PipelineName=name, SortBy="CreationTime", SortOrder="Descending", MaxResults=limit
        )
    except ClientError as error:
        if is_missing(error):
            raise not_deployed(connection, name) from error
        raise
    summaries: list[dict[str, Any]] = answer["PipelineExecutionSummaries"]
    return summaries


def describe_execution(connection: Connection, arn: str) -> dict[str, Any]:
    answer: dict[str, Any] = connection.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return answer


def definition_of(connection: Connection, arn: str) -> dict[str, Any]:
    """The definition that an execution was started with, whatever the pipeline's is by now."""
    answer = connection.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    definition: dict[str, Any] = json.loads(answer["PipelineDefinition"])
    return definition


def list_steps(connection: Connection, arn: str) -> list[dict[str, Any]]:
    """Every step of an execution that has begun, in the order in which they began."""
    pages = connection.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def stop_execution(connection: Connection, arn: str) -> None:
    connection.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)


def find_execution(connection: Connection, text: str, pipelines: Iterable[str]) -> str:
    """ARN of the execution that ``text`` means: an ARN, an id, or a pipeline's name for its latest.

    ``pipelines`` are names to look for an id under, before all others of the account.

    Raises:
        UsageError: there is none.
    """
    if text.startswith("arn:"):
        return text
    if NAME.fullmatch(text) and describe(connection, text) is not None:
        latest = list_executions(connection, text, 1)
        if not latest:
            raise UsageError(f"Pipeline {text!r} has no execution yet. Next: pipelines start {text}")
        return str(latest[0]["PipelineExecutionArn"])
    if EXECUTION_ID.fullmatch(text):
        for name in _candidates(connection, pipelines):
            if arn := _by_id(connection, name, text):
                return arn
    raise UsageError(
        f"{text!r} is neither the ARN nor the id of an execution here, nor a deployed pipeline. "
        "Next: pipelines executions NAME"
    )


def _candidates(connection: Connection, first: Iterable[str]) -> Iterable[str]:
    known = list(first)
    yield from known
    for page in connection.sagemaker.get_paginator("list_pipelines").paginate():
        yield from (item["PipelineName"] for item in page["PipelineSummaries"] if item["PipelineName"] not in known)


def _by_id(connection: Connection, pipeline: str, wanted: str) -> str | None:
    from botocore.exceptions import ClientError

    deployed = describe(connection, pipeline)
    if deployed is None:
        return None
    arn = f"{deployed['PipelineArn']}/execution/{wanted}"
    try:
        describe_execution(connection, arn)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return arn
