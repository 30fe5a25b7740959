"""Callback steps: a message with a token goes to an SQS queue; whoever has the token says how the step ended.

The token is a resource of its own. It is stored in the transaction that puts the message into the queue, so a crash
leaves both or none, and its end (SendPipelineExecutionStepSuccess or …Failure) is announced like that of a job.
"""

from __future__ import annotations

import json
import secrets
import string
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
from emulator.engine.transitions import STOPPING
from emulator.store.resources import Resource

KIND = "pipeline-callback"
TOKEN = "CallbackToken"
QUEUE = "SqsQueueUrl"
EXECUTION = "PipelineExecutionArn"
VALUES = "Values"
REASON = "FailureReason"
_TOLD = "ToldToStop"
_ALPHABET = string.ascii_letters + string.digits


@register
class Callback(Executor):
    type = "Callback"
    fields = (QUEUE, OUTPUTS)

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        queue = step.extra.get(QUEUE)
        if not queue or not isinstance(queue, str | dict):
            raise DefinitionError("A callback step needs the URL of an SQS queue.", step=step.name, field=QUEUE)
        check_outputs(step)

    def check_reference(self, reference: Reference) -> None:
        check_output_reference(reference)

    def prepare(self, run: StepRun, host: Host) -> None:
        run.handle = {TOKEN: "".join(secrets.choice(_ALPHABET) for _ in range(10))}
        environment = host.environment(run.handle)
        run.arguments = {
            QUEUE: as_text(evaluate(run.step.extra[QUEUE], environment)),
            "Arguments": evaluate(run.step.arguments, environment),
        }

    def launch(self, run: StepRun, host: Host) -> Work:
        token = run.handle[TOKEN]
        arn = f"{host.arn}/callback/{token}"
        body = {EXECUTION: host.arn}
        try:
            with host.resources.database.transaction():
                if host.resources.insert(Resource(host.scope, KIND, token, arn, body, "InProgress")):
                    _send(run, host, {"status": "Executing"})
        except AwsError as error:
            return Work.failed(invocation_failed("sqs:SendMessage", error), _metadata(run, {}))
        return Work.running(arn, _metadata(run, {}))

    def find(self, run: StepRun, host: Host) -> Work | None:
        run.arn = f"{host.arn}/callback/{run.handle[TOKEN]}"
        return self.follow(run, host) if host.resources.by_arn(run.arn) else None

    def follow(self, run: StepRun, host: Host) -> Work:
        callback = host.resources.by_arn(run.arn)
        assert callback is not None, f"the callback {run.arn} is missing"
        match callback.status:
            case "Completed":
                return self._completed(run, callback)
            case "Failed":
                reason = callback.body.get(REASON) or "The callback step was reported as failed without a reason."
                return Work.failed(reason, _metadata(run, {}), run.arn)
        if run.status == STOPPING:  # after a crash: the message that says so may not have been sent
            self.stop(run, host)
        return Work.running(run.arn, _metadata(run, {}))

    def _completed(self, run: StepRun, callback: Resource) -> Work:
        try:
            outputs = typed_outputs(run.step, callback.body[VALUES])
        except OutputError as error:
            return Work.failed(f"ClientError: {error}", _metadata(run, {}), run.arn)
        return Work.succeeded({OUTPUTS: outputs}, _metadata(run, outputs), run.arn)

    def stop(self, run: StepRun, host: Host) -> None:
        """The step goes on until its token is sent back (StopPipelineExecution, "Callback Step")."""

        def tell(callback: Resource) -> None:
            if callback.status == "InProgress" and not callback.body.get(_TOLD):
                _send(run, host, {"status": "Stopping", "Status": "Stopping"})
                callback.body[_TOLD] = True

        host.resources.update(run.arn, tell)


def _send(run: StepRun, host: Host, more: dict[str, Any]) -> None:
    """``status`` is what AWS's samples read, ``Status`` what the API Reference calls it."""
    message = {
        "token": run.handle[TOKEN],
        "pipelineExecutionArn": host.arn,
        "arguments": run.arguments["Arguments"],
        **more,
    }
    host.invoke("SendMessage", {"QueueUrl": run.arguments[QUEUE], "MessageBody": json.dumps(message)}, "sqs")


def _metadata(run: StepRun, outputs: dict[str, Any]) -> dict[str, Any]:
    callback: dict[str, Any] = {TOKEN: run.handle[TOKEN], QUEUE: run.arguments[QUEUE]}
    return {"Callback": callback | ({OUTPUTS: shown_outputs(outputs)} if outputs else {})}
