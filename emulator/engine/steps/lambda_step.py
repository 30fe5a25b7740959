"""Lambda steps: one invocation of a function, whose response has the outputs.

The invocation is a resource, stored under a request id that was chosen before: launching it again after a crash stores
nothing new. Between the start of the function and the moment its result is on disk lies the one window in which a
crash makes the function run a second time, with the same request id.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import Reference, as_text, evaluate
from emulator.engine.steps.executor import Executor, Host, StepRun, Work, register
from emulator.engine.steps.failures import invocation_failed
from emulator.engine.steps.outputs import (
    OUTPUTS,
    OutputError,
    check_output_reference,
    check_outputs,
    shown_outputs,
    typed_outputs,
)
from emulator.store.resources import Resource

INVOCATION = "lambda-invocation"
FUNCTION_ARN = "FunctionArn"
PAYLOAD = "Payload"
ERROR = "FunctionError"
ORIGIN = "Origin"
STEP = "step"
MAX = "MaxSeconds"
_REQUEST_ID = "RequestId"
MAX_SECONDS = 600
"""A Lambda step may run for ten minutes (SageMaker Developer Guide, "Lambda step")."""


@register
class Lambda(Executor):
    type = "Lambda"
    fields = (FUNCTION_ARN, OUTPUTS)

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        function = step.extra.get(FUNCTION_ARN)
        if not function or not isinstance(function, str | dict):
            raise DefinitionError("A Lambda step needs the ARN of a function.", step=step.name, field=FUNCTION_ARN)
        check_outputs(step)

    def check_reference(self, reference: Reference) -> None:
        check_output_reference(reference)

    def prepare(self, run: StepRun, host: Host) -> None:
        run.handle = {_REQUEST_ID: str(uuid.uuid4())}
        environment = host.environment(run.handle)
        run.arguments = {
            FUNCTION_ARN: as_text(evaluate(run.step.extra[FUNCTION_ARN], environment)),
            PAYLOAD: evaluate(run.step.arguments, environment),
        }

    def launch(self, run: StepRun, host: Host) -> Work:
        function = run.arguments[FUNCTION_ARN]
        try:
            configuration = host.invoke("GetFunctionConfiguration", {"FunctionName": function}, "lambda")
        except AwsError as error:
            return Work.failed(invocation_failed("lambda:Invoke", error), _metadata(run, {}))
        body = {
            FUNCTION_ARN: configuration[FUNCTION_ARN],
            PAYLOAD: json.dumps(run.arguments[PAYLOAD]),
            ORIGIN: STEP,
            MAX: MAX_SECONDS,
        }
        arn = _arn(run)
        host.resources.insert(Resource(host.scope, INVOCATION, run.handle[_REQUEST_ID], arn, body, "InProgress"))
        return Work.running(arn, _metadata(run, {}))

    def find(self, run: StepRun, host: Host) -> Work | None:
        run.arn = _arn(run)
        return self.follow(run, host) if host.resources.by_arn(run.arn) else None

    def follow(self, run: StepRun, host: Host) -> Work:
        invocation = host.resources.by_arn(run.arn)
        assert invocation is not None, f"the invocation {run.arn} is missing"
        match invocation.status:
            case "Completed":
                return self._completed(run, invocation)
            case "Failed":
                return Work.failed(_reason(run, invocation), _metadata(run, {}), run.arn)
            case _:
                return Work.running(run.arn, _metadata(run, {}))

    def _completed(self, run: StepRun, invocation: Resource) -> Work:
        response = json.loads(invocation.body[PAYLOAD])
        try:
            if run.step.extra.get(OUTPUTS) and not isinstance(response, dict):
                raise OutputError(f"The response of the Lambda function is no JSON object: {as_text(response)[:200]}")
            outputs = typed_outputs(run.step, response if isinstance(response, dict) else {})
        except OutputError as error:
            return Work.failed(f"ClientError: {error}", _metadata(run, {}), run.arn)
        return Work.succeeded({OUTPUTS: outputs}, _metadata(run, outputs), run.arn)

    def stop(self, run: StepRun, host: Host) -> None:
        """A function cannot be stopped: the execution waits for its end (StopPipelineExecution, "Lambda Step")."""


def _arn(run: StepRun) -> str:
    return f"{run.arguments[FUNCTION_ARN]}/invocation/{run.handle[_REQUEST_ID]}"


def _reason(run: StepRun, invocation: Resource) -> str:
    return f"ClientError: The Lambda function {run.arguments[FUNCTION_ARN]} failed: {invocation.body[PAYLOAD]}"


def _metadata(run: StepRun, outputs: dict[str, Any]) -> dict[str, Any]:
    function: dict[str, Any] = {"Arn": run.arguments[FUNCTION_ARN]}
    return {"Lambda": function | ({OUTPUTS: shown_outputs(outputs)} if outputs else {})}
