"""Executions of pipelines, their steps and parameters (API Reference, StartPipelineExecution and its siblings)."""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import Arn
from emulator.aws.errors import NotImplementedHere, ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.engine.definition import read_definition
from emulator.engine.environment import experiment_of
from emulator.engine.execution import (
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
from emulator.engine.transitions import EXECUTING, STOPPING
from emulator.services.sagemaker.pipelines import (
    caller,
    definition_of,
    find_pipeline,
    paging,
    recall,
    remember,
)
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.engine.store import StepRecord
    from emulator.services.context import Context

EXPERIMENT = "PipelineExperimentConfig"
DISPLAY_NAME = "PipelineExecutionDisplayName"
DESCRIPTION = "PipelineExecutionDescription"
_LATER = ("SelectiveExecutionConfig", "PipelineVersionAlias", "MlflowExperimentName", "RoleArn")


@operation("sagemaker", "StartPipelineExecution")
def start_pipeline_execution(request: Request, context: Context) -> Response:
    earlier = recall(context, "StartPipelineExecution", request)
    if earlier is not None:
        return {"PipelineExecutionArn": earlier}
    for member in _LATER:
        if request.get(member) is not None:
            raise NotImplementedHere(f"The emulator does not have {member} of StartPipelineExecution yet.")
    pipeline = find_pipeline(context, request["PipelineName"])
    execution = _new_execution(request, context, pipeline)
    with context.app.resources.database.transaction():
        context.app.resources.insert(execution)
        remember(context, "StartPipelineExecution", request, execution.arn)
    context.app.engine.start(execution.arn)
    return {"PipelineExecutionArn": execution.arn}


def _new_execution(request: Request, context: Context, pipeline: Resource) -> Resource:
    version = request.get("PipelineVersionId", pipeline.body[VERSION])
    definition = read_definition(definition_of(context, pipeline, version))
    given = request.get("PipelineParameters") or []
    values = bind_parameters(definition.parameters, given)
    name = execution_id()
    now = time.time()
    body = {
        PIPELINE_ARN: pipeline.arn,
        VERSION: version,
        PARAMETERS: given,
        PARALLELISM: request.get(PARALLELISM) or pipeline.body.get(PARALLELISM),
        DISPLAY_NAME: request.get(DISPLAY_NAME, f"execution-{int(now * 1000)}"),
        DESCRIPTION: request.get(DESCRIPTION),
        "CreatedBy": caller(context),
        "LastModifiedBy": caller(context),
    }
    arn = f"{pipeline.arn}/execution/{name}"
    execution = Resource(context.scope, KIND, name, arn, body, EXECUTING, pipeline.name, created=now, modified=now)
    body[EXPERIMENT] = experiment_of(definition, values, variables_of(execution))
    return execution


@operation("sagemaker", "StopPipelineExecution")
def stop_pipeline_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])
    if execution.status == EXECUTING:
        context.app.engine.stop(execution.arn)
    elif execution.status != STOPPING:
        raise ValidationException(
            f"Pipeline execution '{execution.arn}' is in status {execution.status}."
            f" Only pipeline executions with '{EXECUTING}' status can be stopped."
        )
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "UpdatePipelineExecution")
def update_pipeline_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])

    def change(resource: Resource) -> None:
        members = (DISPLAY_NAME, DESCRIPTION, PARALLELISM)
        resource.body |= {member: request[member] for member in members if request.get(member) is not None}
        resource.body["LastModifiedBy"] = caller(context)

    context.app.resources.update(execution.arn, change)
    context.app.engine.refresh(execution.arn)
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "DescribePipelineExecution")
def describe_pipeline_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])
    body = execution.body
    described = (PIPELINE_ARN, VERSION, PARALLELISM, DISPLAY_NAME, DESCRIPTION, "CreatedBy", "LastModifiedBy")
    return {
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionStatus": execution.status,
        **{member: body.get(member) for member in described},
        EXPERIMENT: body[EXPERIMENT] or None,
        FAILURE_REASON: body.get(FAILURE_REASON),
        "CreationTime": execution.created,
        "LastModifiedTime": execution.modified,
    }


@operation("sagemaker", "ListPipelineExecutions")
def list_pipeline_executions(request: Request, context: Context) -> Response:
    if request.get("PipelineVersionAlias") is not None:
        raise NotImplementedHere("The emulator does not have pipeline version aliases yet.")
    pipeline = find_pipeline(context, request["PipelineName"])
    query = Query(KIND, parent=pipeline.name, **paging(request))
    executions, token = context.app.resources.page(context.scope, query)
    return {"PipelineExecutionSummaries": [_summary(execution) for execution in executions], "NextToken": token}


def _summary(execution: Resource) -> dict[str, Any]:
    return {
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
        after=_read_token(request.get("NextToken")),
    )
    return {
        "PipelineExecutionSteps": [_step(step) for step in steps],
        "NextToken": None if last is None else _write_token(last),
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
    first = _read_token(request.get("NextToken")) or 0
    end = first + int(request.get("MaxResults", 100))
    parameters = execution.body[PARAMETERS]
    return {
        "PipelineParameters": parameters[first:end],
        "NextToken": _write_token(end) if end < len(parameters) else None,
    }


@operation("sagemaker", "DescribePipelineDefinitionForExecution")
def describe_pipeline_definition_for_execution(request: Request, context: Context) -> Response:
    execution = find_execution(context, request["PipelineExecutionArn"])
    found = context.app.engine.store.version(execution.body[PIPELINE_ARN], execution.body[VERSION])
    pipeline = context.app.resources.by_arn(execution.body[PIPELINE_ARN])
    assert found is not None, f"the definition of {execution.arn} is missing"
    return {"PipelineDefinition": found[0], "CreationTime": pipeline.created if pipeline else None}


def find_execution(context: Context, arn: str) -> Resource:
    """The execution of that ARN.

    Raises:
        ResourceNotFound: the caller has none.
    """
    execution = context.app.resources.get(context.scope, KIND, Arn.parse(arn).resource.rpartition("/")[2])
    if execution is None or execution.arn.lower() != arn.lower():
        raise ResourceNotFound(f"Pipeline execution '{arn}' does not exist.")
    return execution


def _write_token(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _read_token(token: str | None) -> int | None:
    if not token:
        return None
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as error:
        raise ValidationException("Invalid pagination token") from error
