"""Executions of pipelines, their steps and parameters (API Reference, StartPipelineExecution and its siblings)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import Arn
from emulator.aws.errors import ResourceLimitExceeded, ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.engine.definition import read_definition
from emulator.engine.environment import experiment_of, mlflow_of
from emulator.engine.execution import (
    EXPERIMENT,
    FAILURE_REASON,
    KIND,
    PARALLELISM,
    PARAMETERS,
    PIPELINE_ARN,
    VERSION,
    variables_of,
)
from emulator.engine.names import execution_id
from emulator.engine.parameters import bind_parameters
from emulator.engine.selection import CONFIG, SOURCE, check_selection, copy_results
from emulator.engine.transitions import ENDED, EXECUTING, FAILED, STOPPED, STOPPING
from emulator.services.idempotency import recall, remember
from emulator.services.identity import user_context
from emulator.services.sagemaker.job_components import ensure_trial_of
from emulator.services.sagemaker.paging import page_of, paging, read_position, write_position
from emulator.services.sagemaker.pipelines import (
    aliases_of,
    find_pipeline,
    find_version,
    version_with_alias,
)
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.engine.store import StepRecord
    from emulator.services.context import Context

DISPLAY_NAME = "PipelineExecutionDisplayName"
DESCRIPTION = "PipelineExecutionDescription"
MLFLOW = "MLflowConfig"


@operation("sagemaker", "StartPipelineExecution")
def start_pipeline_execution(request: Request, context: Context) -> Response:
    earlier = recall(context, "StartPipelineExecution", request)
    if earlier is not None:
        return {"PipelineExecutionArn": earlier}
    if request.get("RoleArn") is not None:
        raise ValidationException("RoleArn can't be specified for a pipeline that you created: it has its own role.")
    pipeline = find_pipeline(context, request["PipelineName"])
    execution = _new_execution(request, context, pipeline)
    results = _results_to_use(execution, context, pipeline)
    store = context.app.engine.store
    with context.app.resources.database.transaction():
        _check_limit(context)
        context.app.resources.insert(execution)
        ensure_trial_of(context, execution.body[EXPERIMENT], execution.arn)
        store.versions.started(pipeline.arn, execution.body[VERSION], execution.arn)
        for result in results:
            store.begin(replace(result, execution=execution.arn))
        remember(context, "StartPipelineExecution", request, execution.arn)
    context.app.engine.start(execution.arn)
    return {"PipelineExecutionArn": execution.arn}


def _new_execution(request: Request, context: Context, pipeline: Resource) -> Resource:
    version = find_version(context, pipeline, request)
    definition = read_definition(version.definition)
    given = request.get("PipelineParameters") or []
    if any(parameter["Value"] == "" for parameter in given):
        raise ValidationException('[string "" is too short (length: 0, required minimum: 1)]')
    values = bind_parameters(definition.parameters, given)
    name = execution_id()
    now = time.time()
    body = {
        PIPELINE_ARN: pipeline.arn,
        VERSION: version.version,
        CONFIG: request.get(CONFIG),
        PARAMETERS: given,
        PARALLELISM: request.get(PARALLELISM) or pipeline.body.get(PARALLELISM),
        DISPLAY_NAME: request.get(DISPLAY_NAME, f"execution-{int(now * 1000)}"),
        DESCRIPTION: request.get(DESCRIPTION),
        "CreatedBy": user_context(context),
        "LastModifiedBy": user_context(context),
    }
    arn = f"{pipeline.arn}/execution/{name}"
    execution = Resource(context.scope, KIND, name, arn, body, EXECUTING, pipeline.name, created=now, modified=now)
    variables = variables_of(execution)
    body[EXPERIMENT] = experiment_of(definition, values, variables)
    body[MLFLOW] = mlflow_of(definition, values, variables, request.get("MlflowExperimentName"))
    return execution


def _results_to_use(execution: Resource, context: Context, pipeline: Resource) -> list[StepRecord]:
    """Of a selective execution what steps before the selected ones came to in the execution it refers to."""
    config = execution.body[CONFIG]
    if config is None:
        return []
    version = find_version(context, pipeline, {"PipelineVersionId": execution.body[VERSION]})
    needed = check_selection(read_definition(version.definition), config)
    if config.get(SOURCE) is None:
        return []
    source = find_execution(context, config[SOURCE])
    if source.body[PIPELINE_ARN] != pipeline.arn:
        raise ValidationException(f"Invalid {SOURCE}: {source.arn}. It is no execution of pipeline '{pipeline.arn}'.")
    if source.status not in ENDED:
        raise ValidationException(
            f"Invalid {SOURCE}: {source.arn}. It is in status {source.status}; only an execution that has ended can be"
            " referred to."
        )
    return copy_results(context.app.engine.store, source.arn, needed)


def _check_limit(context: Context) -> None:
    """Called in the transaction that makes one more execution run."""
    limit = context.app.settings.max_pipeline_executions
    running = context.app.resources.with_status(KIND, EXECUTING, STOPPING)
    number = sum(execution.scope == context.scope for execution in running)
    if 0 < limit <= number:
        raise ResourceLimitExceeded(
            f"The account-level service limit 'Maximum number of concurrent pipeline executions' is {limit} Executions,"
            f" with current utilization of {number} Executions and a request delta of 1 Executions. Please use AWS"
            " Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS"
            " support to request an increase for this quota."
        )


@operation("sagemaker", "RetryPipelineExecution")
def retry_pipeline_execution(request: Request, context: Context) -> Response:
    earlier = recall(context, "RetryPipelineExecution", request)
    if earlier is not None:
        return {"PipelineExecutionArn": earlier}
    execution = find_execution(context, request["PipelineExecutionArn"])
    if execution.status not in (FAILED, STOPPED):
        raise ValidationException(
            f"Pipeline execution '{execution.arn}' is in status {execution.status}."
            f" Only pipeline executions with '{FAILED}' or '{STOPPED}' status can be retried."
        )

    def change(resource: Resource) -> None:
        if request.get(PARALLELISM) is not None:
            resource.body[PARALLELISM] = request[PARALLELISM]
        resource.body["LastModifiedBy"] = user_context(context)

    with context.app.resources.database.transaction():
        _check_limit(context)
        context.app.engine.retry(execution.arn, change)
        remember(context, "RetryPipelineExecution", request, execution.arn)
    context.app.engine.start(execution.arn)
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "StopPipelineExecution")
def stop_pipeline_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])
    if recall(context, "StopPipelineExecution", request) is not None:
        return {"PipelineExecutionArn": execution.arn}
    if execution.status not in (EXECUTING, STOPPING):
        raise ValidationException(
            f"Pipeline execution '{execution.arn}' is in status {execution.status}."
            f" Only pipelines with '{EXECUTING}' status can be stopped."
        )
    with context.app.resources.database.transaction():
        context.app.engine.stop(execution.arn)
        remember(context, "StopPipelineExecution", request, execution.arn)
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "UpdatePipelineExecution")
def update_pipeline_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])

    def change(resource: Resource) -> None:
        members = (DISPLAY_NAME, DESCRIPTION, PARALLELISM)
        resource.body |= {member: request[member] for member in members if request.get(member) is not None}
        resource.body["LastModifiedBy"] = user_context(context)

    context.app.resources.update(execution.arn, change)
    context.app.engine.refresh(execution.arn)
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "DescribePipelineExecution")
def describe_pipeline_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])
    body = execution.body
    described = (PIPELINE_ARN, VERSION, CONFIG, PARALLELISM, DISPLAY_NAME, DESCRIPTION, "CreatedBy", "LastModifiedBy")
    return {
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionStatus": execution.status,
        **{member: body.get(member) for member in described},
        EXPERIMENT: body[EXPERIMENT] or None,
        MLFLOW: body.get(MLFLOW) or None,
        "PipelineVersionAliases": aliases_of(context, body[PIPELINE_ARN], body[VERSION]),
        FAILURE_REASON: body.get(FAILURE_REASON),
        "CreationTime": execution.created,
        "LastModifiedTime": execution.modified,
    }


@operation("sagemaker", "ListPipelineExecutions")
def list_pipeline_executions(request: Request, context: Context) -> Response:
    pipeline = find_pipeline(context, request["PipelineName"])
    alias = request.get("PipelineVersionAlias")
    members = {VERSION: version_with_alias(context, pipeline, alias)} if alias is not None else {}
    sort_by = {"PipelineExecutionArn": "Name"}.get(request.get("SortBy", ""), "CreationTime")
    query = Query(KIND, parent=pipeline.name, members=members, **paging({**request, "SortBy": sort_by}))
    executions, token = context.app.resources.page(context.scope, query)
    aliases = context.app.engine.store.versions.aliases(pipeline.arn)
    summaries = [_summary(execution, aliases) for execution in executions]
    return {"PipelineExecutionSummaries": summaries, "NextToken": token}


def _summary(execution: Resource, aliases: dict[str, int]) -> dict[str, Any]:
    version = execution.body[VERSION]
    return {
        "PipelineVersionAliases": [alias for alias, number in aliases.items() if number == version],
        "PipelineExecutionArn": execution.arn,
        "StartTime": execution.created,
        "PipelineExecutionStatus": execution.status,
        DESCRIPTION: execution.body.get(DESCRIPTION),
        DISPLAY_NAME: execution.body.get(DISPLAY_NAME),
        "PipelineExecutionFailureReason": execution.body.get(FAILURE_REASON),
    }


@operation("sagemaker", "ListPipelineExecutionSteps")
def list_pipeline_execution_steps(request: Request, context: Context) -> Response:
    """The latest comes first unless the caller asks otherwise, as the service answers."""
    arn = request.get("PipelineExecutionArn")
    if arn is None:
        raise ValidationException("PipelineExecutionArn must be given.")
    execution = find_execution(context, arn)
    steps, last = context.app.engine.store.page(
        execution.arn,
        descending=request.get("SortOrder", "Descending") == "Descending",
        limit=request.get("MaxResults", 100),
        after=read_position(request.get("NextToken")),
    )
    return {
        "PipelineExecutionSteps": [_step(step) for step in steps],
        "NextToken": None if last is None else write_position(last),
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "StepName": step.name,
        **step.display,
        "StartTime": step.started,
        "EndTime": step.ended,
        "StepStatus": step.status,
        FAILURE_REASON: step.reason or None,
        "Metadata": step.metadata,
        "AttemptCount": step.attempt,
    }


@operation("sagemaker", "ListPipelineParametersForExecution")
def list_pipeline_parameters_for_execution(request: Request, context: Context) -> Response:
    """The values given at the start, in their order; defaults are in the definition."""
    execution = find_execution(context, request["PipelineExecutionArn"])
    page, token = page_of(execution.body[PARAMETERS], request, 100)
    return {"PipelineParameters": page, "NextToken": token}


@operation("sagemaker", "DescribePipelineDefinitionForExecution")
def describe_pipeline_definition_for_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])
    found = context.app.engine.store.versions.get(execution.body[PIPELINE_ARN], execution.body[VERSION])
    pipeline = context.app.resources.by_arn(execution.body[PIPELINE_ARN])
    assert found is not None, f"the definition of {execution.arn} is missing"
    return {"PipelineDefinition": found.definition, "CreationTime": pipeline.created if pipeline else None}


def find_execution(context: Context, arn: str) -> Resource:
    """The execution of that ARN.

    Raises:
        ResourceNotFound: the caller has none.
    """
    execution = context.app.resources.get(context.scope, KIND, Arn.parse(arn).resource.rpartition("/")[2])
    if execution is None or execution.arn.lower() != arn.lower():
        raise ResourceNotFound(f"Pipeline execution '{arn}' does not exist.")
    return execution
