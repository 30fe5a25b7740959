from typing import Any, cast

import pytest

from pipelines.connection import Connection
from pipelines.follow import Ended
from pipelines.summary import exit_code, summarize
from tests.pipelines.fakes import ARN, START, Client, FakeConnection, job, step


def ended(status: str, steps: list[dict[str, Any]], **members: Any) -> Ended:
    execution = {"PipelineExecutionStatus": status, "PipelineExecutionArn": ARN, "CreationTime": START, **members}
    return Ended(execution, steps)


@pytest.mark.parametrize(
    ("status", "code"), [("Succeeded", 0), ("Failed", 1), ("CompletedWithFailures", 1), ("Stopped", 4)]
)
def test_the_exit_code_says_how_it_ended(status: str, code: int) -> None:
    assert exit_code(ended(status, [])) == code


def test_a_success_shows_model_and_times() -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/1"
    steps = [step("A", "Succeeded", 0, 1), step("B", "Succeeded", 1, 4, Metadata={"RegisterModel": {"Arn": arn}})]
    lines = summarize(cast(Connection, FakeConnection()), ended("Succeeded", steps), [])
    assert f"Model package  {arn}" in lines
    assert [line.split()[:4] for line in lines if "█" in line] == [["A", "1.0", "s", "25%"], ["B", "3.0", "s", "75%"]]
    assert lines[-1] == f"Succeeded in 4.0 s  {ARN}"


def test_a_failure_shows_reason_and_log_first() -> None:
    logs = Client(
        describe_log_streams={"logStreams": [{"logStreamName": "t/algo-1-1"}]},
        get_log_events={"events": [{"timestamp": 1, "message": "Traceback"}, {"timestamp": 2, "message": "boom\n"}]},
    )
    failed = step("Train", "Failed", 0, 1, FailureReason="AlgorithmError: boom", Metadata=job("TrainingJob", "t"))
    sagemaker = Client(describe_training_job={"TrainingJobName": "t"})
    lines = summarize(cast(Connection, FakeConnection(sagemaker, logs=logs)), ended("Failed", [failed]), [])
    assert lines[:5] == [
        "",
        "Step Train failed: AlgorithmError: boom",
        "  | Traceback",
        "  | boom",
        "  The whole log: pipelines logs abcdefghijkl Train",
    ]
    assert logs.calls[0][1]["logGroupName"] == "/aws/sagemaker/TrainingJobs"
    assert logs.calls[0][1]["logStreamNamePrefix"] == "t/"


def test_a_failure_of_no_step_shows_the_executions_reason() -> None:
    lines = summarize(cast(Connection, FakeConnection()), ended("Failed", [], FailureReason="no such role"), [])
    assert "The execution failed: no such role" in lines
