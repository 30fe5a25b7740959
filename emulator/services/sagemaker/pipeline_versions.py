"""Versions of pipelines and their aliases (API Reference, ListPipelineVersions and UpdatePipelineVersion)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.aws.errors import ResourceNotFound
from emulator.aws.operations import Request, Response, operation
from emulator.engine.versions import Version
from emulator.services.sagemaker.paging import read_position, write_position
from emulator.services.sagemaker.pipelines import aliases_of, assign_aliases, find_pipeline

if TYPE_CHECKING:
    from emulator.services.context import Context


@operation("sagemaker", "ListPipelineVersions")
def list_pipeline_versions(request: Request, context: Context) -> Response:
    pipeline = find_pipeline(context, request["PipelineName"])
    after, before = request.get("CreatedAfter"), request.get("CreatedBefore")
    versions, last = context.app.engine.store.versions.page(
        pipeline.arn,
        descending=request.get("SortOrder", "Descending") == "Descending",
        limit=request.get("MaxResults", 100),
        after=read_position(request.get("NextToken")),
        created_after=after.timestamp() if after else None,
        created_before=before.timestamp() if before else None,
    )
    return {
        "PipelineVersionSummaries": [_summary(context, version) for version in versions],
        "NextToken": None if last is None else write_position(last),
    }


def _summary(context: Context, version: Version) -> dict[str, Any]:
    return {
        "PipelineArn": version.pipeline,
        "PipelineVersionId": version.version,
        "CreationTime": version.created,
        "PipelineVersionDescription": version.description,
        "PipelineVersionDisplayName": version.display_name,
        "LastExecutionPipelineExecutionArn": version.last_execution,
        "PipelineVersionAliases": aliases_of(context, version.pipeline, version.version),
    }


@operation("sagemaker", "UpdatePipelineVersion")
def update_pipeline_version(request: Request, context: Context) -> Response:
    pipeline = find_pipeline(context, request["PipelineArn"])
    versions, number = context.app.engine.store.versions, request["PipelineVersionId"]
    if versions.get(pipeline.arn, number) is None:
        raise ResourceNotFound(f"Pipeline version {number} of '{pipeline.arn}' does not exist.")
    aliases = request.get("PipelineVersionAliasOperations") or {}
    with context.app.resources.database.transaction():
        assign_aliases(context, pipeline.arn, number, aliases.get("Add") or (), aliases.get("Remove") or ())
        versions.describe(
            pipeline.arn, number, request.get("PipelineVersionDisplayName"), request.get("PipelineVersionDescription")
        )
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": number}
