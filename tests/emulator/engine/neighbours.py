"""Lambda and SQS for the engine: functions that end when a test says so, and messages that are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.engine.steps.callback import KIND, REASON, TOKEN, VALUES
from emulator.engine.steps.lambda_step import INVOCATION, PAYLOAD
from emulator.store.resources import Resource, Scope
from tests.emulator.engine.fakes import FakeSageMaker, World

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"


class FakeNeighbours(FakeSageMaker):
    """Messages are rows of the database, as SQS's are, so that they end with the transaction that fails."""

    def __call__(self, scope: Scope, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if service == "sagemaker":
            return super().__call__(scope, service, operation, request)
        self.calls.append((operation, request))
        if operation in self.refuse:
            raise self.refuse[operation]
        if operation == "GetFunctionConfiguration":
            return {"FunctionArn": request["FunctionName"]}
        assert operation == "SendMessage"
        number = self.resources.count(scope, "message") + 1
        body = json.loads(request["MessageBody"])
        self.resources.insert(Resource(scope, "message", f"{number:04}", f"message/{number}", body, "Sent"))
        return {}


class Neighbourhood(World):
    operations = FakeNeighbours

    def __init__(self, root: Path, **settings: Any) -> None:
        super().__init__(root, **settings)

    def messages(self) -> list[str]:
        """The statuses in the messages to the queue, in order."""
        found = sorted(self.resources.with_status("message", "Sent"), key=lambda message: message.name)
        return [str(message.body["status"]) for message in found]

    def answer(self, arn: str, step: str, **outputs: Any) -> None:
        """Whoever the step asked answers."""

        def change(asked: Resource) -> None:
            asked.status = "Completed"
            asked.body |= {VALUES: outputs} if asked.kind == KIND else {PAYLOAD: json.dumps(outputs)}

        self.resources.update(self._asked(arn, step), change)

    def refuse(self, arn: str, step: str, error: str = "no") -> None:
        """Whoever the step asked fails."""

        def change(asked: Resource) -> None:
            asked.status = "Failed"
            failure = json.dumps({"errorType": "Error", "errorMessage": error})
            asked.body |= {REASON: error} if asked.kind == KIND else {PAYLOAD: failure}

        self.resources.update(self._asked(arn, step), change)

    def invocations(self) -> int:
        """How often functions were called."""
        return len(self.resources.with_status(INVOCATION, "InProgress", "Completed", "Failed"))

    def _asked(self, arn: str, step: str) -> str:
        record = self.steps(arn)[step]
        token = record.handle.get(TOKEN)
        return f"{arn}/callback/{token}" if token else record.arn


def lambda_step(name: str, *after: str, **more: Any) -> dict[str, Any]:
    outputs = [{"OutputName": "n", "OutputType": "Integer"}]
    step = {"Name": name, "Type": "Lambda", "Arguments": {}, "FunctionArn": FUNCTION, "OutputParameters": outputs}
    return {**step, "DependsOn": list(after), **more}


def callback_step(name: str, *after: str, **more: Any) -> dict[str, Any]:
    outputs = [{"OutputName": "n", "OutputType": "Integer"}]
    step = {"Name": name, "Type": "Callback", "Arguments": {}, "SqsQueueUrl": QUEUE, "OutputParameters": outputs}
    return {**step, "DependsOn": list(after), **more}


def each(name: str, body: dict[str, Any], items: int = 2) -> dict[str, Any]:
    body = {key: value for key, value in body.items() if key != "DependsOn"}
    arguments = {"IterableItems": [str(number) for number in range(items)], "MaxConcurrency": 2, "ForEachBody": [body]}
    return {"Name": name, "Type": "ForEach", "Arguments": arguments}
