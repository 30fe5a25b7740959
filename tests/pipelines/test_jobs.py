from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from pipelines.connection import Connection
from pipelines.jobs import KINDS, describe_job, job_of
from tests.pipelines.fakes import Client, FakeConnection, job, step

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/pipelines-abcdefghijkl-train-xyz"
NAME = "pipelines-abcdefghijkl-Train-XyZ"


def describe(**request: Any) -> dict[str, Any]:
    if request["TrainingJobName"] != NAME:
        error = {"Error": {"Code": "ValidationException", "Message": "Requested resource not found."}}
        raise ClientError(error, "DescribeTrainingJob")
    return request


def test_a_job_is_found_though_its_arn_is_in_lower_case() -> None:
    others = {"TrainingJobName": "other", "TrainingJobArn": "arn:other"}
    listed = {"TrainingJobSummaries": [others, {"TrainingJobName": NAME, "TrainingJobArn": ARN}]}
    client = Client(describe_training_job=describe, list_training_jobs=listed)
    found = describe_job(cast(Connection, FakeConnection(client)), KINDS["TrainingJob"], ARN)
    assert found == {"TrainingJobName": NAME}
    assert ("list_training_jobs", {"NameContains": "pipelines-abcdefghijkl"}) in client.calls


def test_a_job_that_is_gone_is_an_error() -> None:
    client = Client(describe_training_job=describe, list_training_jobs={"TrainingJobSummaries": []})
    with pytest.raises(ClientError, match="Requested resource not found"):
        describe_job(cast(Connection, FakeConnection(client)), KINDS["TrainingJob"], ARN)


def test_the_kind_comes_from_the_metadata() -> None:
    found = job_of(step("A", "Succeeded", Metadata=job("ProcessingJob", "p")))
    assert found is not None
    assert found[0].operation == "processing_job"
    assert job_of(step("A", "Succeeded", Metadata={"Fail": {"ErrorMessage": "x"}})) is None
