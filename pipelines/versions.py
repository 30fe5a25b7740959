"""Versions of a deployed pipeline: each create and update makes one, and any can be deployed again."""

from __future__ import annotations

import json
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.connection import Connection
from pipelines.deployed import deployed_pipeline, not_deployed
from pipelines.errors import UsageError
from pipelines.record import Record, read_record, unstamped
from pipelines.tables import Rows, moment
from pipelines.upsert import definition_members


def list_versions(connection: Connection, name: str, limit: int) -> list[dict[str, Any]]:
    """The latest versions, newest first, each with its ``Record``."""
    from botocore.exceptions import ClientError

    try:
        answer = connection.sagemaker.list_pipeline_versions(
            PipelineName=name, SortOrder="Descending", MaxResults=limit
        )
    except ClientError as error:
        if is_missing(error):
            raise not_deployed(connection, name) from error
        raise
    found = answer["PipelineVersionSummaries"]
    return [item | {"Record": read_record(version(connection, name, item["PipelineVersionId"]))} for item in found]


def version(connection: Connection, name: str, number: int) -> dict[str, Any]:
    """The definition of one version.

    Raises:
        UsageError: there is no such version.
    """
    from botocore.exceptions import ClientError

    try:
        answer = connection.sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=number)
    except ClientError as error:
        if not is_missing(error):
            raise
        deployed_pipeline(connection, name)
        message = f"Pipeline {name} has no version {number}. Next: pipelines history {name}"
        raise UsageError(message) from error
    definition: dict[str, Any] = json.loads(answer["PipelineDefinition"])
    return definition


def roll_back(connection: Connection, name: str, number: int) -> int | None:
    """Deploy an earlier version again, as a new one; its number, None if it is what is deployed already."""
    deployed = deployed_pipeline(connection, name)
    wanted = version(connection, name, number)
    if unstamped(json.loads(deployed["PipelineDefinition"])) == unstamped(wanted):
        return None
    kept = {"ParallelismConfiguration": deployed.get("ParallelismConfiguration")}
    answer = connection.sagemaker.update_pipeline(
        PipelineName=name,
        RoleArn=deployed["RoleArn"],
        **definition_members(wanted, name, connection),
        **{key: value for key, value in kept.items() if value},
    )
    return int(answer["PipelineVersionId"])


def version_rows(versions: list[dict[str, Any]]) -> Rows:
    """A table of versions."""
    rows: Rows = [("VERSION", "CREATED", "COMMIT", "DEFINITION", "ALIASES")]
    for item in versions:
        record: Record = item["Record"]
        created = moment(item["CreationTime"])
        commit = record.commit[:12] + ("+" if len(record.commit) > 12 and record.commit.endswith("+") else "")
        aliases = ", ".join(item.get("PipelineVersionAliases") or ())
        rows.append((str(item["PipelineVersionId"]), created, commit or "unknown", record.digest, aliases))
    return rows
