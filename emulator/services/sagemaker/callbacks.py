"""How callback steps end (API Reference, SendPipelineExecutionStepSuccess and SendPipelineExecutionStepFailure)."""

from __future__ import annotations

from collections.abc import Callable

from emulator.aws.errors import ConflictException, ResourceNotFound
from emulator.aws.operations import Request, Response, operation
from emulator.engine.steps.callback import EXECUTION, KIND, REASON, TOKEN, VALUES
from emulator.services.context import Context
from emulator.services.idempotency import recall, remember
from emulator.store.resources import Resource


@operation("sagemaker", "SendPipelineExecutionStepSuccess")
def send_pipeline_execution_step_success(request: Request, context: Context) -> Response:
    def complete(callback: Resource) -> None:
        outputs = request.get("OutputParameters") or []
        callback.body[VALUES] = {output["Name"]: output["Value"] for output in outputs}
        callback.status = "Completed"

    return _end("SendPipelineExecutionStepSuccess", complete, request, context)


@operation("sagemaker", "SendPipelineExecutionStepFailure")
def send_pipeline_execution_step_failure(request: Request, context: Context) -> Response:
    def fail(callback: Resource) -> None:
        callback.body[REASON] = request.get("FailureReason", "")
        callback.status = "Failed"

    return _end("SendPipelineExecutionStepFailure", fail, request, context)


def _end(action: str, end: Callable[[Resource], None], request: Request, context: Context) -> Response:
    if earlier := recall(context, action, request):
        return {EXECUTION: earlier}
    callback = context.app.resources.get(context.scope, KIND, request[TOKEN])
    if callback is None or callback.name != request[TOKEN]:
        raise ResourceNotFound(f"No pipeline execution step with callback token '{request[TOKEN]}' exists.")

    def change(resource: Resource) -> None:
        if resource.status != "InProgress":
            raise ConflictException(f"The step of callback token '{resource.name}' has already ended.")
        end(resource)
        remember(context, action, request, resource.body[EXECUTION])

    context.app.resources.update(callback.arn, change)
    return {EXECUTION: callback.body[EXECUTION]}
