from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.jobs import job_of
from pipelines.logs import read_log, tail_log
from pipelines.tables import as_lines, step_logs
from tests.pipelines.fakes import ARN, Client, FakeConnection, job, step

STEP = step("Train", "Succeeded", 0, 1, Metadata=job("TrainingJob", "t"))


def events(**request: Any) -> dict[str, Any]:
    """Two pages, then the same token again, as CloudWatch Logs ends."""
    if not request["startFromHead"]:
        return {"events": [{"timestamp": 3, "message": "three"}], "nextForwardToken": "f/2"}
    token = request.get("nextToken")
    page = {None: ["one", "two"], "f/1": ["three"]}.get(token, [])
    return {
        "events": [{"timestamp": 1, "message": text} for text in page],
        "nextForwardToken": {None: "f/1", "f/1": "f/2"}.get(token, "f/2"),
    }


def connection(**sagemaker: Any) -> Connection:
    logs = Client(describe_log_streams={"logStreams": [{"logStreamName": "t/algo-1-1"}]}, get_log_events=events)
    describe = {
        "describe_training_job": {"TrainingJobName": "t"},
        "describe_processing_job": {"ProcessingJobName": "e"},
    }
    return cast(Connection, FakeConnection(Client(**describe, **sagemaker), logs=logs))


def test_every_page_is_read() -> None:
    assert list(read_log(connection(), STEP)) == ["one", "two", "three"]


def test_a_page_without_lines_is_not_the_end() -> None:
    def paged(**request: Any) -> dict[str, Any]:
        page = {None: [], "t/1": ["late"]}.get(request.get("nextToken"), [])
        token = {None: "t/1", "t/1": "t/2"}.get(request.get("nextToken"), "t/2")
        lines = [{"timestamp": 1, "message": text} for text in page]
        return {"events": lines, "nextForwardToken": token, "nextBackwardToken": token}

    streams = {"logStreams": [{"logStreamName": "t/algo-1-1"}]}
    logs = Client(describe_log_streams=streams, get_log_events=paged)
    sagemaker = Client(describe_training_job={"TrainingJobName": "t"})
    found = cast(Connection, FakeConnection(sagemaker, logs=logs))
    assert list(read_log(found, STEP)) == ["late"]
    assert tail_log(found, STEP, 5) == ["late"]


def test_the_tail_asks_for_the_end_only() -> None:
    assert tail_log(connection(), STEP, 5) == ["three"]


def test_a_step_without_a_job_has_no_log() -> None:
    assert job_of(step("Check", "Succeeded", Metadata={"Condition": {"Outcome": "True"}})) is None
    assert list(read_log(connection(), step("Check", "Succeeded"))) == []


def test_a_group_that_is_not_there_yet_is_an_empty_log() -> None:
    def missing(**request: Any) -> Any:
        error = {"Error": {"Code": "ResourceNotFoundException", "Message": "The specified log group does not exist."}}
        raise ClientError(error, "DescribeLogStreams")

    logs = Client(describe_log_streams=missing)

    sagemaker = Client(describe_training_job={"TrainingJobName": "t"})
    assert tail_log(cast(Connection, FakeConnection(sagemaker, logs=logs)), STEP, 5) == []


def test_a_failed_steps_log_comes_first() -> None:
    failed = step("Evaluate", "Failed", 1, 2, Metadata=job("ProcessingJob", "e"))
    found = connection(list_pipeline_execution_steps={"PipelineExecutionSteps": [STEP, failed]})
    headings = [line for line in as_lines(step_logs(found, ARN, None, None), headings=True) if line.startswith("==>")]
    assert headings == ["==> Evaluate (Failed)", "==> Train (Succeeded)"]


def test_an_unknown_step_and_one_without_a_job_are_explained() -> None:
    check = step("Check", "Failed", FailureReason="no such file")
    found = connection(list_pipeline_execution_steps={"PipelineExecutionSteps": [STEP, check]})
    with pytest.raises(UsageError, match=r"not begun a step 'Trian'.*Did you mean 'Train'"):
        list(step_logs(found, ARN, "Trian", None))
    with pytest.raises(UsageError, match=r"Step Check runs no job, so it has no log. It failed: no such file"):
        list(step_logs(found, ARN, "Check", None))
