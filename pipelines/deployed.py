"""The pipeline as it is deployed in an environment."""

from __future__ import annotations

from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.catalog import list_pipelines
from pipelines.connection import Connection
from pipelines.errors import PipelineNotFound, UsageError


def describe(connection: Connection, name: str) -> dict[str, Any] | None:
    """The deployed pipeline as DescribePipeline answers, None if there is none."""
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = connection.sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return answer


def deployed_tags(connection: Connection, arn: str) -> dict[str, str]:
    """Tags of a resource."""
    pages = connection.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def deployed_pipeline(connection: Connection, name: str) -> dict[str, Any]:
    """DescribePipeline of a pipeline that must be there.

    Raises:
        UsageError: it is not deployed, and perhaps not in this checkout either.
    """
    deployed = describe(connection, name)
    if deployed is None:
        raise not_deployed(connection, name)
    return deployed


def delete_pipeline(connection: Connection, name: str) -> None:
    """Delete a pipeline that is there, or was until an instant ago."""
    from botocore.exceptions import ClientError

    try:
        connection.sagemaker.delete_pipeline(PipelineName=name)
    except ClientError as error:
        if not is_missing(error):
            raise


def not_deployed(connection: Connection, name: str) -> UsageError:
    """The error for a pipeline that an environment does not have, with the next command."""
    environment = connection.target.environment
    known = [source.name for source in list_pipelines(environment.root)]
    if name not in known:
        return PipelineNotFound(name, known)
    option = "" if environment.name == "local" else f" --env {environment.name}"
    return UsageError(
        f"Pipeline {name!r} is not deployed to environment {environment.name}. Next: pipelines upsert {name}{option}"
    )
