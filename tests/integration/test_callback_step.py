"""Callback steps: a token goes to a queue, comes back, and the pipeline goes on."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import Runner


def step(url: Any, name: str = "Ask") -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Callback",
        "SqsQueueUrl": url,
        "Arguments": {"number": {"Get": "Parameters.N"}, "id": {"Get": "Execution.PipelineExecutionId"}},
        "OutputParameters": [
            {"OutputName": "answer", "OutputType": "Integer"},
            {"OutputName": "text", "OutputType": "String"},
        ],
    }


def fail_with(expression: dict[str, Any]) -> dict[str, Any]:
    """A step whose message shows the value of an expression with its type."""
    return {"Name": "Show", "Type": "Fail", "Arguments": {"ErrorMessage": expression}}


PARAMETERS = [{"Name": "N", "Type": "Integer", "DefaultValue": 7}]


class Asked:
    """A pipeline that has sent its token to a queue of its own."""

    def __init__(self, emulator: Emulator, runner: Runner, *more: dict[str, Any]) -> None:
        self.runner = runner
        self.sqs = emulator.client("sqs")
        name = f"callback-{uuid.uuid4().hex[:8]}"
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        runner.create(step(f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}"), *more, name=name,
                      parameters=PARAMETERS)  # fmt: skip
        self.execution = runner.start(name)
        self.body = self.message()
        self.token = self.body["token"]

    def message(self) -> dict[str, Any]:
        (message,) = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=20)["Messages"]
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])

    def succeed(self, **options: Any) -> str:
        values = [{"Name": "answer", "Value": "42"}, {"Name": "text", "Value": "yes"}]
        return self.runner.sagemaker.send_pipeline_execution_step_success(
            CallbackToken=self.token, OutputParameters=values, **options
        )["PipelineExecutionArn"]


def test_the_outputs_that_come_back_are_typed_properties(emulator: Emulator, runner: Runner) -> None:
    outputs = {"Std:Join": {"On": ",", "Values": [{"Get": "Steps.Ask.OutputParameters['answer']"},
                                                  {"Get": "Steps.Ask.OutputParameters['text']"}]}}  # fmt: skip
    asked = Asked(emulator, runner, fail_with(outputs))
    assert asked.body["arguments"] == {"number": 7, "id": asked.execution.rpartition("/")[2]}
    assert asked.body["pipelineExecutionArn"] == asked.execution
    token = f"{uuid.uuid4()}"
    assert asked.succeed(ClientRequestToken=token) == asked.execution
    assert asked.succeed(ClientRequestToken=token) == asked.execution
    with pytest.raises(asked.runner.sagemaker.exceptions.ConflictException):
        asked.succeed()
    runner.ended(asked.execution)
    steps = runner.steps(asked.execution)
    assert steps["Show"]["FailureReason"] == "42,yes"
    metadata = steps["Ask"]["Metadata"]["Callback"]
    assert metadata["CallbackToken"] == asked.token
    assert metadata["OutputParameters"][0] == {"Name": "answer", "Value": "42"}


def test_a_failure_is_told_with_its_reason(emulator: Emulator, runner: Runner) -> None:
    asked = Asked(emulator, runner)
    runner.sagemaker.send_pipeline_execution_step_failure(CallbackToken=asked.token, FailureReason="no, thanks")
    assert runner.ended(asked.execution)["PipelineExecutionStatus"] == "Failed"
    assert runner.steps(asked.execution)["Ask"]["FailureReason"] == "no, thanks"


def test_a_stopped_execution_waits_for_its_token(emulator: Emulator, runner: Runner) -> None:
    asked = Asked(emulator, runner)
    runner.sagemaker.stop_pipeline_execution(PipelineExecutionArn=asked.execution, ClientRequestToken="s" * 32)
    message = asked.message()
    assert (message["status"], message["Status"], message["token"]) == ("Stopping", "Stopping", asked.token)
    assert runner.steps(asked.execution)["Ask"]["StepStatus"] == "Stopping"
    asked.succeed()
    assert runner.ended(asked.execution)["PipelineExecutionStatus"] == "Stopped"


def test_a_queue_that_is_not_there_fails_the_step(runner: Runner) -> None:
    runner.create(step("https://sqs.us-east-1.amazonaws.com/123456789012/none"), name="noqueue", parameters=PARAMETERS)
    execution = runner.start("noqueue")
    assert runner.ended(execution)["PipelineExecutionStatus"] == "Failed"
    assert "The specified queue does not exist" in runner.steps(execution)["Ask"]["FailureReason"]


def test_an_unknown_token_is_refused(runner: Runner) -> None:
    with pytest.raises(runner.sagemaker.exceptions.ResourceNotFound):
        runner.sagemaker.send_pipeline_execution_step_success(CallbackToken="0123456789")


def test_a_token_outlives_a_kill_and_is_sent_once(own_emulator: Emulator) -> None:
    own_emulator.start()
    asked = Asked(own_emulator, Runner(own_emulator))
    own_emulator.kill()
    own_emulator.start()
    sqs, sagemaker = own_emulator.client("sqs"), own_emulator.client("sagemaker")
    sagemaker.send_pipeline_execution_step_success(CallbackToken=asked.token)
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=asked.execution)
          ["PipelineExecutionStatus"] == "Succeeded")  # fmt: skip
    (url,) = sqs.list_queues()["QueueUrls"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
