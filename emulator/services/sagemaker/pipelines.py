"""Pipelines: a definition under a name, in versions (API Reference, CreatePipeline and its siblings)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import Arn, sagemaker_arn
from emulator.aws.errors import ConflictException, ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.execution import KIND as EXECUTION
from emulator.engine.execution import PARALLELISM, VERSION
from emulator.engine.transitions import EXECUTING, STOPPING
from emulator.engine.versions import Version
from emulator.services.idempotency import recall, remember
from emulator.services.identity import user_context
from emulator.services.sagemaker.paging import paging
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

KIND = "pipeline"
ROLE = "RoleArn"
MAX_ALIASES = 10
_DESCRIBED = ("PipelineDisplayName", "PipelineDescription", ROLE, PARALLELISM)


@operation("sagemaker", "CreatePipeline", blocking=True)
def create_pipeline(request: Request, context: Context) -> Response:
    resources = context.app.resources
    arn = pipeline_arn(context, request["PipelineName"])
    earlier = recall(context, "CreatePipeline", request)
    if earlier is not None:
        return {"PipelineArn": earlier}
    aliases = request.get("PipelineVersionAliases") or []
    check_alias_names(aliases)
    check_new_tags(request.get("Tags") or [])
    definition = _definition(request, context)
    if definition is None:
        raise ValidationException("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
    body = {member: request[member] for member in _DESCRIBED if request.get(member) is not None}
    body |= {"CreatedBy": user_context(context), "LastModifiedBy": user_context(context)}
    pipeline = Resource(context.scope, KIND, request["PipelineName"], arn, body, status="Active")
    pipeline.modified = pipeline.created
    with resources.database.transaction():
        earlier = recall(context, "CreatePipeline", request)  # the same request may have come twice at a time
        if earlier is not None:
            return {"PipelineArn": earlier}
        _refuse_taken(context, pipeline.name)
        versions = context.app.engine.store.versions
        body[VERSION] = versions.add(arn, definition)
        versions.set_aliases(arn, body[VERSION], aliases)
        resources.insert(pipeline)
        resources.add_tags(arn, request.get("Tags") or [])
        remember(context, "CreatePipeline", request, arn)
    return {"PipelineArn": arn}


@operation("sagemaker", "UpdatePipeline", blocking=True)
def update_pipeline(request: Request, context: Context) -> Response:
    pipeline = find_pipeline(context, request["PipelineName"])
    aliases = request.get("PipelineVersionAliases") or []
    definition = _definition(request, context)

    def change(resource: Resource) -> None:
        before = resource.body[VERSION]
        resource.body |= {member: request[member] for member in _DESCRIBED if request.get(member) is not None}
        resource.body["LastModifiedBy"] = user_context(context)
        if definition is not None:
            resource.body[VERSION] = context.app.engine.store.versions.add(pipeline.arn, definition)
        if aliases and resource.body[VERSION] == before:
            raise ValidationException(
                "PipelineVersionAliases can be specified only when the pipeline definition changes."
                " To change the aliases of an existing version use UpdatePipelineVersion."
            )
        assign_aliases(context, pipeline.arn, resource.body[VERSION], aliases)

    updated = context.app.resources.update(pipeline.arn, change)
    if updated is None:
        raise _not_found(pipeline.arn)
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": updated.body[VERSION]}


@operation("sagemaker", "DescribePipeline")
def describe_pipeline(request: Request, context: Context) -> Response:
    pipeline = find_pipeline(context, request["PipelineName"])
    version = find_version(context, pipeline, request)
    last, _ = context.app.resources.page(context.scope, Query(EXECUTION, parent=pipeline.name, max_results=1))
    return {
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.name,
        **{member: pipeline.body[member] for member in _DESCRIBED if member in pipeline.body},
        "PipelineDefinition": version.definition,
        "PipelineVersionDisplayName": version.display_name,
        "PipelineVersionDescription": version.description,
        "PipelineVersionAliases": aliases_of(context, pipeline.arn, version.version),
        "PipelineStatus": pipeline.status,
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        "LastRunTime": last[0].created if last else None,
        "CreatedBy": pipeline.body["CreatedBy"],
        "LastModifiedBy": pipeline.body["LastModifiedBy"],
    }


@operation("sagemaker", "ListPipelines")
def list_pipelines(request: Request, context: Context) -> Response:
    if request.get("ManagedBy") == "AWS":
        return {"PipelineSummaries": []}
    resources = context.app.resources
    query = Query(KIND, name_prefix=request.get("PipelineNamePrefix"), **paging(request))
    pipelines, token = resources.page(context.scope, query)
    return {"PipelineSummaries": [_summary(pipeline, context) for pipeline in pipelines], "NextToken": token}


@operation("sagemaker", "DeletePipeline", blocking=True)
def delete_pipeline(request: Request, context: Context) -> Response:
    pipeline = find_pipeline(context, request["PipelineName"])
    resources, store = context.app.resources, context.app.engine.store
    with resources.database.transaction():
        running = [
            execution.arn
            for execution in resources.with_status(EXECUTION, EXECUTING, STOPPING)
            if execution.scope == context.scope and execution.parent == pipeline.name
        ]
        if running:
            raise ConflictException(
                f"Pipeline {pipeline.arn} has running executions and cannot be deleted."
                f" Stop them with StopPipelineExecution first: {', '.join(running[:5])}"
            )
        for execution in list(resources.walk(context.scope, Query(EXECUTION, parent=pipeline.name))):
            store.forget_execution(execution.arn)
            resources.delete(execution.arn)
        store.forget_pipeline(pipeline.arn)
        resources.delete(pipeline.arn)
    return {"PipelineArn": pipeline.arn}


def _summary(pipeline: Resource, context: Context) -> dict[str, Any]:
    last, _ = context.app.resources.page(context.scope, Query(EXECUTION, parent=pipeline.name, max_results=1))
    return {
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.body.get("PipelineDisplayName", pipeline.name),
        "PipelineDescription": pipeline.body.get("PipelineDescription"),
        ROLE: pipeline.body.get(ROLE),
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        "LastExecutionTime": last[0].created if last else None,
    }


def _definition(request: Request, context: Context) -> str | None:
    """The definition that a request brings, read and checked; None if it brings none."""
    inline, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if inline is not None and location is not None:
        raise ValidationException("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
    text = _fetch(location, context) if location is not None else inline
    if text is not None:
        check_definition(read_definition(text))
    return text


def _fetch(location: dict[str, str], context: Context) -> str:
    bucket, key = location["Bucket"], location["ObjectKey"]
    objects = context.app.objects
    found = objects.head(bucket, key, location.get("VersionId"))
    if found is None:
        raise ValidationException(f"The pipeline definition s3://{bucket}/{key} does not exist.")
    with objects.open(found) as file:
        data = file.read()
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValidationException(f"The pipeline definition s3://{bucket}/{key} is not UTF-8 text.") from None


def find_version(context: Context, pipeline: Resource, request: Request) -> Version:
    """The version that a request names by its number or an alias, by default the latest.

    Raises:
        ValidationException: it names both.
        ResourceNotFound: there is no such version or alias.
    """
    number, alias = request.get("PipelineVersionId"), request.get("PipelineVersionAlias")
    if number is not None and alias is not None:
        raise ValidationException("You can't specify both PipelineVersionId and PipelineVersionAlias.")
    if alias is not None:
        number = version_with_alias(context, pipeline, alias)
    number = pipeline.body[VERSION] if number is None else number
    found = context.app.engine.store.versions.get(pipeline.arn, number)
    if found is None:
        raise ResourceNotFound(f"Pipeline version {number} of '{pipeline.arn}' does not exist.")
    return found


def version_with_alias(context: Context, pipeline: Resource, alias: str) -> int:
    """The number of the version that has an alias.

    Raises:
        ResourceNotFound: none has.
    """
    version = context.app.engine.store.versions.aliases(pipeline.arn).get(alias)
    if version is None:
        raise ResourceNotFound(f"Pipeline version alias '{alias}' of '{pipeline.arn}' does not exist.")
    return version


def aliases_of(context: Context, arn: str, version: int) -> list[str]:
    """The aliases that a version has now."""
    return [alias for alias, number in context.app.engine.store.versions.aliases(arn).items() if number == version]


def check_alias_names(aliases: Sequence[str]) -> None:
    """Refuse aliases that are numbers or given twice; the gateway has checked their letters."""
    for alias in aliases:
        if alias.isdecimal():
            raise ValidationException(f"Pipeline version alias '{alias}' can't consist of numbers only.")
        if aliases.count(alias) > 1:
            raise ValidationException(f"Pipeline version alias '{alias}' is given more than once.")


def assign_aliases(context: Context, arn: str, version: int, add: Sequence[str], remove: Sequence[str] = ()) -> None:
    """Change the aliases of a version; call it in the transaction that the change belongs to.

    Raises:
        ValidationException: an alias to add is no alias, or the version would have more than ten.
        ConflictException: another version has it.
        ResourceNotFound: the version does not have one that is to be removed.
    """
    check_alias_names(add)
    taken = context.app.engine.store.versions.aliases(arn)
    for alias in remove:
        if taken.pop(alias, None) != version:
            raise ResourceNotFound(f"Pipeline version {version} of '{arn}' has no alias '{alias}'.")
    for alias in add:
        if alias in taken:
            raise ConflictException(
                f"Pipeline version alias '{alias}' is assigned to version {taken[alias]} of '{arn}'."
                " Remove it from that version with UpdatePipelineVersion first."
            )
    if len(add) + list(taken.values()).count(version) > MAX_ALIASES:
        raise ValidationException(f"A pipeline version can have at most {MAX_ALIASES} aliases.")
    context.app.engine.store.versions.set_aliases(arn, version, add, remove)


def find_pipeline(context: Context, name_or_arn: str) -> Resource:
    """The pipeline of that name or ARN.

    Raises:
        ResourceNotFound: the caller has none.
    """
    name = Arn.parse(name_or_arn).resource_id if name_or_arn.startswith("arn:") else name_or_arn
    pipeline = context.app.resources.get(context.scope, KIND, name)
    if pipeline is None or (name != name_or_arn and pipeline.arn.lower() != name_or_arn.lower()):
        raise _not_found(name_or_arn if name != name_or_arn else pipeline_arn(context, name))
    return pipeline


def _not_found(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"Pipeline '{arn}' does not exist.")


def pipeline_arn(context: Context, name: str) -> str:
    return sagemaker_arn(context.account, context.region, KIND, name)


def _refuse_taken(context: Context, name: str) -> None:
    if context.app.resources.get(context.scope, KIND, name) is not None:
        raise ValidationException(
            "Pipeline names must be unique within an AWS account and region."
            f" Pipeline with name ({name}) already exists."
        )
