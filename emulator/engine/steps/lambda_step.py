"""Lambda steps: one invocation of a function, whose response has the outputs.

The invocation is a resource, stored under a request id that was chosen before: launching it again after a crash stores
nothing new. Its function runs at most once (``emulator.services.lambda_.invocations``).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.expressions import as_text
from emulator.engine.steps.asking import ARGUMENTS, AskingExecutor
from emulator.engine.steps.executor import Host, StepRun, Work, register
from emulator.engine.steps.failures import invocation_failed, timed_out
from emulator.engine.steps.outputs import OUTPUTS, OutputError
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
class Lambda(AskingExecutor):
    type = "Lambda"
    asked = FUNCTION_ARN
    needs = "A Lambda step needs the ARN of a function."
    fields = (FUNCTION_ARN, OUTPUTS)

    def launch(self, run: StepRun, host: Host) -> Work:
        function = run.arguments[FUNCTION_ARN]
        try:
            configuration = host.invoke("GetFunctionConfiguration", {"FunctionName": function}, "lambda")
        except AwsError as error:
            return Work.failed(invocation_failed("lambda:Invoke", error), self._metadata(run))
        body = {
            FUNCTION_ARN: configuration[FUNCTION_ARN],
            PAYLOAD: json.dumps(run.arguments[ARGUMENTS]),
            ORIGIN: STEP,
            MAX: MAX_SECONDS,
        }
        arn = self._arn(run, host)
        host.resources.insert(Resource(host.scope, INVOCATION, run.handle[_REQUEST_ID], arn, body, "InProgress"))
        return Work.running(arn, self._metadata(run))

    def stop(self, run: StepRun, host: Host) -> None:
        """A function cannot be stopped: the execution waits for its end (StopPipelineExecution, "Lambda Step")."""

    def _new_handle(self) -> dict[str, str]:
        return {_REQUEST_ID: str(uuid.uuid4())}

    def _arn(self, run: StepRun, host: Host) -> str:
        return f"{run.arguments[FUNCTION_ARN]}/invocation/{run.handle[_REQUEST_ID]}"

    def _values(self, run: StepRun, answer: Resource) -> Mapping[str, Any]:
        response = json.loads(answer.body[PAYLOAD])
        if isinstance(response, dict):
            return response
        if run.step.extra.get(OUTPUTS):
            raise OutputError(f"The response of the Lambda function is no JSON object: {as_text(response)[:200]}")
        return {}

    def _reason(self, run: StepRun, answer: Resource) -> str:
        function, error = run.arguments[FUNCTION_ARN], answer.body[PAYLOAD]
        if f"timed out after {MAX_SECONDS:.2f} seconds" in error:
            return timed_out(f"the Lambda function {function} did not end within {MAX_SECONDS // 60} minutes.")
        return f"ClientError: The Lambda function {function} failed: {error}"

    def _shown(self, run: StepRun) -> dict[str, Any]:
        return {"Arn": run.arguments[FUNCTION_ARN]}
