"""Bringing a built pipeline to its environment: missing assets first, then create, update or nothing.

The SDK's ``upsert()`` tries to create, uploads twice and matches an error text that the service has changed since;
here the deployed pipeline is read and compared instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.aws_errors import error_code
from pipelines.build import BuiltPipeline
from pipelines.connection import Connection
from pipelines.deployed import describe
from pipelines.storage import ensure_bucket, put_files, stored_sizes

Action = Literal["created", "updated", "unchanged"]
Report = Callable[[str], None]
INLINE_LIMIT = 100 * 1024
"""A definition above this size goes by S3, as the SDK does it; the limit of the service is 1 MiB."""


@dataclass(frozen=True)
class Upserted:
    """What an upsert did."""

    action: Action
    arn: str
    uploaded: tuple[str, ...]


def upsert_pipeline(built: BuiltPipeline, connection: Connection, report: Report) -> Upserted:
    """Upload the assets that are missing, then create or update the pipeline unless it is as built already."""
    uploaded = upload_assets(built, connection, report)
    deployed = describe(connection, built.name)
    if deployed is None:
        return _create(built, connection, uploaded)
    return _update(built, connection, deployed, uploaded)


def upload_assets(built: BuiltPipeline, connection: Connection, report: Report) -> tuple[str, ...]:
    """Put each asset that the bucket lacks; assets are content-addressed, so one that is there needs nothing."""
    environment = connection.target.environment
    if ensure_bucket(connection, environment.bucket, environment.region):
        report(f"created bucket {environment.bucket}")
    present = stored_sizes(connection, environment.bucket, f"{built.name}/assets/")
    missing: dict[str, Path] = {
        asset["key"]: built.asset_path(asset["key"])
        for asset in built.manifest["assets"]
        if present.get(asset["key"]) != asset["size"]
    }
    put_files(connection, environment.bucket, missing)
    if missing:
        report(f"uploaded {len(missing)} of {len(built.manifest['assets'])} assets")
    return tuple(missing)


def _create(built: BuiltPipeline, connection: Connection, uploaded: tuple[str, ...]) -> Upserted:
    from botocore.exceptions import ClientError

    try:
        answer = connection.sagemaker.create_pipeline(
            PipelineName=built.name,
            PipelineDisplayName=built.name,
            RoleArn=connection.target.environment.role,
            **_definition_members(built, connection),
        )
    except ClientError as error:
        taken = error_code(error) in {"ResourceInUse", "ValidationException", "ConflictException"}
        if not taken or (deployed := describe(connection, built.name)) is None:
            raise
        return _update(built, connection, deployed, uploaded)  # someone else created it in between
    return Upserted("created", answer["PipelineArn"], uploaded)


def _update(
    built: BuiltPipeline, connection: Connection, deployed: dict[str, Any], uploaded: tuple[str, ...]
) -> Upserted:
    role = connection.target.environment.role
    same = json.loads(deployed["PipelineDefinition"]) == built.definition and deployed["RoleArn"] == role
    if same:
        return Upserted("unchanged", deployed["PipelineArn"], uploaded)
    answer = connection.sagemaker.update_pipeline(
        PipelineName=built.name, RoleArn=role, **_definition_members(built, connection)
    )
    return Upserted("updated", answer["PipelineArn"], uploaded)


def _definition_members(built: BuiltPipeline, connection: Connection) -> dict[str, Any]:
    """The request members that carry the definition."""
    text = json.dumps(built.definition, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) <= INLINE_LIMIT:
        return {"PipelineDefinition": text}
    bucket = connection.target.environment.bucket
    key = f"{built.name}/definitions/{built.manifest['definition']}.json"
    connection.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}
