"""Lambda steps: a function's response has the outputs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.integration.emulators import Emulator, until
from tests.integration.functions import function
from tests.integration.small_pipelines import Runner

OUTPUTS = [
    {"OutputName": "number", "OutputType": "Integer"},
    {"OutputName": "share", "OutputType": "Float"},
    {"OutputName": "good", "OutputType": "Boolean"},
    {"OutputName": "text", "OutputType": "String"},
]


def step(arn: str, name: str = "Call", outputs: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": {"id": {"Get": "Execution.PipelineExecutionId"}, "n": [1, {"two": 2}]},
        "OutputParameters": OUTPUTS if outputs is None else outputs,
    }


def run(runner: Runner, *steps: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    return runner.run(*steps, name=f"lambda-{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Any:
    return emulator.client("lambda")


def output(name: str) -> dict[str, str]:
    return {"Get": f"Steps.Call.OutputParameters['{name}']"}


def test_outputs_are_properties_of_their_types(runner: Runner, client: Any) -> None:
    source = """
def handler(event, context):
    return {"statusCode": 200, "number": 3, "share": 0.5, "good": True, "text": event["id"], "extra": event["n"]}
"""
    arn = function(client, source)
    conditions = [
        {"Type": "Equals", "LeftValue": output("number"), "RightValue": 3},
        {"Type": "LessThan", "LeftValue": output("share"), "RightValue": 1.0},
        {"Type": "Equals", "LeftValue": output("good"), "RightValue": True},
        {"Type": "Equals", "LeftValue": output("text"), "RightValue": {"Get": "Execution.PipelineExecutionId"}},
    ]
    condition = {"Name": "All", "Type": "Condition",
                 "Arguments": {"Conditions": conditions, "IfSteps": [], "ElseSteps": []}}  # fmt: skip
    execution, steps = run(runner, step(arn), condition)
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps["Call"]["FailureReason"]
    assert steps["All"]["Metadata"]["Condition"]["Outcome"].lower() == "true"
    metadata = steps["Call"]["Metadata"]["Lambda"]
    assert metadata["Arn"] == arn
    assert {"Name": "number", "Value": "3"} in metadata["OutputParameters"]


def test_an_error_of_the_function_fails_the_step_with_it(runner: Runner, client: Any) -> None:
    arn = function(client, "def handler(event, context): raise ValueError('bad luck')\n")
    execution, steps = run(runner, step(arn))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "bad luck" in steps["Call"]["FailureReason"]
    assert "ValueError" in steps["Call"]["FailureReason"]


def test_an_output_of_another_type_fails_the_step(runner: Runner, client: Any) -> None:
    arn = function(client, "def handler(event, context): return {'number': 'many'}\n")
    _, steps = run(runner, step(arn))
    assert "Output parameter 'number' is not of type Integer" in steps["Call"]["FailureReason"]


def test_a_function_that_is_not_there_fails_the_step(runner: Runner) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:nowhere"
    _, steps = run(runner, step(arn))
    assert f"Function not found: {arn}" in steps["Call"]["FailureReason"]


def test_a_stopped_execution_waits_for_its_function(runner: Runner, client: Any) -> None:
    arn = function(client, "import time\ndef handler(event, context):\n  time.sleep(1)\n  return {}\n", Timeout=30)
    runner.create(step(arn), name="stopped-lambda")
    execution = runner.start("stopped-lambda")
    until(lambda: runner.steps(execution))
    runner.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken="t" * 32)
    assert runner.ended(execution)["PipelineExecutionStatus"] == "Stopped"
    assert runner.steps(execution)["Call"]["StepStatus"] == "Succeeded"


def test_a_killed_emulator_does_not_call_a_function_again_that_has_ended(own_emulator: Emulator) -> None:
    own_emulator.start()
    runner, client, sqs = Runner(own_emulator), own_emulator.client("lambda"), own_emulator.client("sqs")
    sqs.create_queue(QueueName="calls")
    source = """
import boto3
def handler(event, context):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="calls")["QueueUrl"], MessageBody="called")
    return {}
"""
    first = function(client, source, Timeout=30)
    second = function(client, "import time\ndef handler(event, context):\n  time.sleep(2)\n  return {}\n", Timeout=30)
    runner.create({**step(second, "Wait"), "DependsOn": ["Call"]}, step(first), name="killed")
    execution = runner.start("killed")
    until(lambda: "Wait" in runner.steps(execution))
    own_emulator.kill()
    own_emulator.start()
    sagemaker, sqs = own_emulator.client("sagemaker"), own_emulator.client("sqs")
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
          == "Succeeded")  # fmt: skip
    (url,) = sqs.list_queues()["QueueUrls"]
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 1
