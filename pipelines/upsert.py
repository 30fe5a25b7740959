"""Bringing a built pipeline to its environment: missing assets first, then create, update or nothing.

The SDK's ``upsert()`` tries to create, uploads twice and matches an error text that the service has changed since;
here the deployed pipeline is read and compared instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.aws_errors import error_code
from pipelines.build import BuiltPipeline
from pipelines.connection import Connection
from pipelines.deployed import deployed_tags, describe
from pipelines.errors import UsageError
from pipelines.record import stamped, unstamped
from pipelines.storage import ensure_bucket, put_files, stored_sizes

Action = Literal["created", "updated", "unchanged"]
Report = Callable[[str], None]
INLINE_LIMIT = 100 * 1024
"""A definition above this size goes by S3, as the SDK does it; the limit of the service is 1 MiB."""

SERVICE_LIMIT = 1024 * 1024
ATTEMPTS = 3
TAKEN = frozenset({"ResourceInUse", "ValidationException", "ConflictException"})
"""Codes with which CreatePipeline refuses a name that is taken."""


@dataclass(frozen=True)
class Upserted:
    """What an upsert did."""

    action: Action
    arn: str
    uploaded: tuple[str, ...]


def upsert_pipeline(built: BuiltPipeline, connection: Connection, report: Report) -> Upserted:
    """Upload the assets that are missing, then create or update the pipeline unless it is as built already.

    Safe beside another upsert of the same pipeline, and to repeat after an interruption: assets are content-addressed,
    a definition travels in one request, and tags are compared each time.
    """
    uploaded = upload_assets(built, connection, report)
    deployed = describe(connection, built.deployed_name)
    if deployed is None:
        return _create(built, connection, uploaded)
    return _update(built, connection, deployed, uploaded)


def upload_assets(built: BuiltPipeline, connection: Connection, report: Report) -> tuple[str, ...]:
    """Put each asset that the bucket lacks; assets are content-addressed, so one that is there needs nothing."""
    environment = connection.target.environment
    present = stored_sizes(connection, environment.bucket, f"{built.name}/assets/")
    missing: dict[str, Path] = {
        asset["key"]: built.asset_path(asset["key"])
        for asset in built.manifest["assets"]
        if present.get(asset["key"]) != asset["size"]
    }
    if not present and ensure_bucket(connection, environment.bucket, environment.region):
        report(f"created bucket {environment.bucket}")
    put_files(connection, environment.bucket, missing)
    if missing:
        report(f"uploaded {len(missing)} of {len(built.manifest['assets'])} assets")
    return tuple(missing)


def _create(built: BuiltPipeline, connection: Connection, uploaded: tuple[str, ...]) -> Upserted:
    from botocore.exceptions import ClientError

    environment = connection.target.environment
    optional: dict[str, Any] = {}
    if environment.tags:
        optional["Tags"] = [{"Key": key, "Value": value} for key, value in environment.tags.items()]
    if environment.parallelism:
        optional["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": environment.parallelism}
    try:
        answer = connection.sagemaker.create_pipeline(
            PipelineName=built.deployed_name,
            PipelineDisplayName=built.deployed_name,
            RoleArn=environment.role,
            **_definition_members(built, connection),
            **optional,
        )
    except ClientError as error:
        deployed = describe(connection, built.deployed_name) if error_code(error) in TAKEN else None
        if deployed is None:
            raise
        return _update(built, connection, deployed, uploaded)  # someone else created it in between
    return Upserted("created", answer["PipelineArn"], uploaded)


def _update(
    built: BuiltPipeline, connection: Connection, deployed: dict[str, Any], uploaded: tuple[str, ...]
) -> Upserted:
    from botocore.exceptions import ClientError

    for attempt in range(ATTEMPTS):
        try:
            return _update_once(built, connection, deployed, uploaded)
        except ClientError as error:
            latest = describe(connection, built.deployed_name) if error_code(error) == "ConflictException" else None
            if latest is None or attempt == ATTEMPTS - 1:
                raise
            deployed = latest  # someone else changed it in between
    raise AssertionError("the last attempt returned or raised")


def _update_once(
    built: BuiltPipeline, connection: Connection, deployed: dict[str, Any], uploaded: tuple[str, ...]
) -> Upserted:
    environment = connection.target.environment
    arn = str(deployed["PipelineArn"])
    same = unstamped(json.loads(deployed["PipelineDefinition"])) == unstamped(built.definition)
    parallelism = deployed.get("ParallelismConfiguration") or {}
    wanted = {"MaxParallelExecutionSteps": environment.parallelism} if environment.parallelism else parallelism
    if not same or deployed["RoleArn"] != environment.role or wanted != parallelism:
        connection.sagemaker.update_pipeline(
            PipelineName=built.deployed_name,
            RoleArn=environment.role,
            **({} if same else _definition_members(built, connection)),
            **({"ParallelismConfiguration": wanted} if wanted else {}),
        )
        same = False
    tagged = _add_tags(connection, arn, environment.tags)
    return Upserted("unchanged" if same and not tagged else "updated", arn, uploaded)


def _add_tags(connection: Connection, arn: str, wanted: Mapping[str, str]) -> bool:
    """Add the environment's tags where they lack or differ; all others stay."""
    if not wanted:
        return False
    present = deployed_tags(connection, arn)
    missing = [{"Key": key, "Value": value} for key, value in wanted.items() if present.get(key) != value]
    if missing:
        connection.sagemaker.add_tags(ResourceArn=arn, Tags=missing)
    return bool(missing)


def _definition_members(built: BuiltPipeline, connection: Connection) -> dict[str, Any]:
    """The request members that carry the definition, with the commit and hash that it is built from."""
    environment = connection.target.environment
    return definition_members(stamped(built.definition, environment.root), built.name, connection)


def definition_members(definition: dict[str, Any], name: str, connection: Connection) -> dict[str, Any]:
    """The request members that carry a definition: itself, or where it lies in S3 if it is long."""
    text = json.dumps(definition, separators=(",", ":"), ensure_ascii=False)
    size = len(text.encode())
    if size <= INLINE_LIMIT:
        return {"PipelineDefinition": text}
    if size > SERVICE_LIMIT:
        raise UsageError(
            f"The definition of pipeline {name} has {size:,} bytes, and {SERVICE_LIMIT:,} are the limit: move long "
            f"values into files. Next: pipelines validate {name}"
        )
    bucket = connection.target.environment.bucket
    key = f"{name}/definitions/{hashlib.sha256(text.encode()).hexdigest()}.json"
    connection.s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}
