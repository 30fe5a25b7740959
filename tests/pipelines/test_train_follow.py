from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from pipelines.connection import Connection
from pipelines.train_follow import EXIT_CODES, follow_training, summary
from tests.pipelines.fakes import START, Client, FakeConnection

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"


def job(status: str, *seconds_and_statuses: tuple[float, str], **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "TrainingJobArn": ARN,
        "TrainingJobStatus": status,
        "CreationTime": START,
        "SecondaryStatusTransitions": [
            {"Status": name, "StartTime": START + timedelta(seconds=after), "StatusMessage": f"{name} it"}
            for after, name in seconds_and_statuses
        ],
        **members,
    }


def page(token: str, *lines: str) -> dict[str, Any]:
    return {"events": [{"timestamp": 0, "message": line} for line in lines], "nextForwardToken": token}


def followed(descriptions: list[dict[str, Any]], streams: list[str], log: Any) -> list[str]:
    sagemaker = Client(describe_training_job=descriptions)
    found = {"logStreams": [{"logStreamName": name} for name in streams]}
    logs = Client(describe_log_streams=found, get_log_events=log)
    connection = cast(Connection, FakeConnection(sagemaker, logs=logs))
    lines: list[str] = []
    follow_training(connection, ARN, lines.append, lambda seconds: None)
    return lines


def test_statuses_and_lines_are_shown_as_they_come() -> None:
    beginning = job("InProgress", (0, "Starting"), (1, "Training"))
    end = job("Completed", (0, "Starting"), (1, "Training"), (9, "Uploading"), (10, "Completed"))
    log = [page("a", "one"), page("a"), page("b", "two", "three"), page("b")]
    assert followed([beginning, beginning, end], ["job/algo-1-1"], log) == [
        "[    0.00 s] Starting: Starting it",
        "[    1.00 s] Training: Training it",
        "one",
        "[    9.00 s] Uploading: Uploading it",
        "two",
        "three",
        "[   10.00 s] Completed: Completed it",
    ]


def test_the_lines_of_several_hosts_name_their_host() -> None:
    def log(logStreamName: str, nextToken: str = "", **_: Any) -> dict[str, Any]:
        return page("end") if nextToken else page("end", f"hello from {logStreamName}")

    end = job("Completed", (0, "Completed"))
    assert followed([end], ["job/algo-1-1", "job/algo-2-1"], log) == [
        "algo-1 | hello from job/algo-1-1",
        "algo-2 | hello from job/algo-2-1",
        "[    0.00 s] Completed: Completed it",
    ]


def test_the_end_is_summed_up() -> None:
    end = job(
        "Completed",
        FinalMetricDataList=[{"MetricName": "auc", "Value": 0.91234567}, {"MetricName": "loss", "Value": 3.0}],
        ModelArtifacts={"S3ModelArtifacts": "s3://b/model.tar.gz"},
        TrainingTimeInSeconds=75,
        BillableTimeInSeconds=30,
    )
    assert summary(end) == [
        "",
        "Metrics",
        "  auc   0.912346",
        "  loss  3",
        "",
        "Model  s3://b/model.tar.gz",
        "",
        f"Completed in 1 min 15 s (30.0 s billed)  {ARN}",
    ]


def test_a_failure_says_why() -> None:
    failed = job("Failed", FailureReason="AlgorithmError: no")
    assert summary(failed) == ["", "Failed: AlgorithmError: no", "", f"Failed  {ARN}"]
    assert [EXIT_CODES[status] for status in ("Completed", "Failed", "Stopped")] == [0, 1, 4]
