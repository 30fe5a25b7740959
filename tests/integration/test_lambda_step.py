"""Lambda steps: a function's response has the outputs."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.integration.chaos import alive, descendants, free_port
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


COUNTED = """
import time, uuid
import boto3
from botocore.config import Config
patient = Config(retries={"total_max_attempts": 30, "mode": "standard"})
def handler(event, context):
    s3 = boto3.client("s3", config=patient)
    s3.put_object(Bucket="effects", Key=f"begun/{uuid.uuid4()}")
    time.sleep(event["seconds"])
    s3.put_object(Bucket="effects", Key=f"done/{uuid.uuid4()}")
    print("done")
    return {"number": 7}
"""


class Counted:
    """A pipeline of one step, whose function leaves an object each time that it begins and ends."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.runner = Runner(emulator)
        self.runner.s3.create_bucket(Bucket="effects")
        arn = function(emulator.client("lambda"), COUNTED, Timeout=60)
        self.runner.create({**step(arn, outputs=OUTPUTS[:1]), "Arguments": {"seconds": 0.5}}, name="counted")

    def running(self) -> tuple[str, set[tuple[int, str]]]:
        """A new execution whose function has begun, and all processes of the emulator that it began under."""
        family = descendants(self.emulator.status["pid"])
        execution, before = self.runner.start("counted"), self.effects()
        until(lambda: self.effects() == sorted([*before, "begun"]))
        return execution, family | descendants(self.emulator.status["pid"])

    def effects(self) -> list[str]:
        listing = self.runner.s3.list_objects_v2(Bucket="effects")
        return [item["Key"].partition("/")[0] for item in listing.get("Contents", [])]


@pytest.mark.parametrize("end", [Emulator.kill, Emulator.stop])
def test_a_function_outlives_the_emulator_and_runs_once(counted: Counted, end: Callable[[Emulator], None]) -> None:
    before = counted.effects()
    execution, family = counted.running()
    end(counted.emulator)
    counted.emulator.start()
    assert counted.runner.ended(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert counted.effects() == sorted([*before, "begun", "done"])
    metadata = counted.runner.steps(execution)["Call"]["Metadata"]["Lambda"]
    assert metadata["OutputParameters"] == [{"Name": "number", "Value": "7"}]
    (group,) = counted.runner.logs.describe_log_groups()["logGroups"]
    events = counted.runner.logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    assert [event["message"].split()[0] for event in events[-4:]] == ["START", "done", "END", "REPORT"]
    assert until(lambda: not any(map(alive, family))), "what ran it goes when it is done"
    assert not list((counted.emulator.data_dir / "functions/runs").iterdir())


def test_a_function_that_died_with_the_emulator_fails_its_step_until_that_is_retried(counted: Counted) -> None:
    execution, family = counted.running()
    before = counted.effects()
    for process, _ in family:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    counted.emulator.start()
    assert counted.runner.ended(execution)["PipelineExecutionStatus"] == "Failed"
    reason = counted.runner.steps(execution)["Call"]["FailureReason"]
    assert "Sandbox.Interrupted" in reason
    assert "Next: RetryPipelineExecution" in reason
    assert counted.effects() == before, "not called again"
    request = {"PipelineExecutionArn": execution, "ClientRequestToken": "r" * 32}
    counted.runner.sagemaker.retry_pipeline_execution(**request)
    assert counted.runner.ended(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert counted.effects() == sorted([*before, "begun", "done"])


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    """On an emulator that keeps its port, so that functions find the next one."""
    emulator = Emulator(tmp_path_factory.mktemp("counted"), port=free_port()).start()
    yield Counted(emulator)
    emulator.stop()
