"""Callback steps: a message with a token goes to an SQS queue; whoever has the token says how the step ended.

The token is a resource of its own. It is stored in the transaction that puts the message into the queue, so a crash
leaves both or none, and its end (SendPipelineExecutionStepSuccess or …Failure) is announced like that of a job.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.steps.asking import ARGUMENTS, AskingExecutor
from emulator.engine.steps.executor import Host, StepRun, Work, register
from emulator.engine.steps.failures import invocation_failed
from emulator.engine.steps.outputs import OUTPUTS
from emulator.engine.transitions import EXECUTING, STOPPING
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
class Callback(AskingExecutor):
    type = "Callback"
    asked = QUEUE
    needs = "A callback step needs the URL of an SQS queue."
    fields = (QUEUE, OUTPUTS)

    def launch(self, run: StepRun, host: Host) -> Work:
        token, arn = run.handle[TOKEN], self._arn(run, host)
        body = {EXECUTION: host.arn}
        try:
            with host.resources.database.transaction():
                if host.resources.insert(Resource(host.scope, KIND, token, arn, body, "InProgress")):
                    _send(run, host, {"status": "Executing"})
        except AwsError as error:
            return Work.failed(invocation_failed("sqs:SendMessage", error), self._metadata(run))
        return Work.running(arn, self._metadata(run))

    def follow(self, run: StepRun, host: Host) -> Work:
        work = super().follow(run, host)
        if work.status == EXECUTING and run.status == STOPPING:  # after a crash: the message may not have been sent
            self.stop(run, host)
        return work

    def stop(self, run: StepRun, host: Host) -> None:
        """The step goes on until its token is sent back (StopPipelineExecution, "Callback Step")."""

        def tell(callback: Resource) -> None:
            if callback.status == "InProgress" and not callback.body.get(_TOLD):
                _send(run, host, {"status": "Stopping", "Status": "Stopping"})
                callback.body[_TOLD] = True

        host.resources.update(run.arn, tell)

    def _new_handle(self) -> dict[str, str]:
        return {TOKEN: "".join(secrets.choice(_ALPHABET) for _ in range(10))}

    def _arn(self, run: StepRun, host: Host) -> str:
        return f"{host.arn}/callback/{run.handle[TOKEN]}"

    def _values(self, run: StepRun, answer: Resource) -> Mapping[str, Any]:
        values: Mapping[str, Any] = answer.body[VALUES]
        return values

    def _reason(self, run: StepRun, answer: Resource) -> str:
        return answer.body.get(REASON) or "The callback step was reported as failed without a reason."

    def _shown(self, run: StepRun) -> dict[str, Any]:
        return {TOKEN: run.handle[TOKEN], QUEUE: run.arguments[QUEUE]}


def _send(run: StepRun, host: Host, more: dict[str, Any]) -> None:
    """``status`` is what AWS's samples read, ``Status`` what the API Reference calls it."""
    message = {
        "token": run.handle[TOKEN],
        "pipelineExecutionArn": host.arn,
        "arguments": run.arguments[ARGUMENTS],
        **more,
    }
    host.invoke("SendMessage", {"QueueUrl": run.arguments[QUEUE], "MessageBody": json.dumps(message)}, "sqs")
