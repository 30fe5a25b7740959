from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.definition import Definition
from emulator.services.sagemaker import pipelines as operations
from emulator.store.resources import Scope
from tests.emulator.engine.fakes import ROLE, SCOPE, processing, text_of
from tests.emulator.services.sagemaker.pipeline_calls import Pipelines

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/Flights"


@pytest.fixture
def pipelines(tmp_path: Path) -> Iterator[Pipelines]:
    made = Pipelines(tmp_path)
    yield made
    made.close()


def test_create_and_describe(pipelines: Pipelines) -> None:
    before = time.time()
    assert pipelines.create(PipelineDescription="late flights", Tags=[{"Key": "team", "Value": "sky"}]) == ARN
    described = pipelines.DescribePipeline(PipelineName="Flights")
    assert before <= described.pop("CreationTime") == described.pop("LastModifiedTime") <= time.time()
    identity = described.pop("CreatedBy")["IamIdentity"]
    assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/SageMakerExecutionRole/SageMaker"
    assert identity["PrincipalId"].endswith(":SageMaker")
    assert described == {
        "PipelineArn": ARN,
        "PipelineName": "Flights",
        "PipelineDisplayName": "Flights",
        "PipelineDefinition": text_of([processing("A")]),
        "PipelineDescription": "late flights",
        "RoleArn": ROLE,
        "PipelineStatus": "Active",
        "LastRunTime": None,
        "PipelineVersionDisplayName": None,
        "PipelineVersionDescription": None,
        "PipelineVersionAliases": [],
        "LastModifiedBy": {"IamIdentity": identity},
    }
    assert pipelines.ListTags(ResourceArn=ARN)["Tags"] == [{"Key": "team", "Value": "sky"}]


def test_describe_by_arn_in_any_case(pipelines: Pipelines) -> None:
    pipelines.create()
    assert pipelines.DescribePipeline(PipelineName=ARN)["PipelineName"] == "Flights"


def test_a_taken_name_is_refused_as_the_sdk_expects(pipelines: Pipelines) -> None:
    pipelines.create()
    with pytest.raises(Exception, match="Flights") as raised:
        pipelines.create(steps=[processing("B")])
    error: Any = raised.value
    assert error.code == "ValidationException"
    assert error.message == (
        "Pipeline names must be unique within an AWS account and region. Pipeline with name (Flights) already exists."
    )
    assert pipelines.DescribePipeline(PipelineName="Flights")["PipelineDefinition"] == text_of([processing("A")])


def test_a_request_that_comes_again_while_the_first_is_answered_makes_one_pipeline(
    pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = pipelines.token()
    request = {"PipelineName": "Flights", "RoleArn": ROLE, "ClientRequestToken": token, "PipelineVersionAliases": ["a"]}
    request["PipelineDefinition"] = text_of([processing("A")])
    check = operations.check_definition

    def meanwhile(definition: Definition) -> None:
        monkeypatch.setattr(operations, "check_definition", check)
        pipelines.call("CreatePipeline", request)
        check(definition)

    monkeypatch.setattr(operations, "check_definition", meanwhile)
    assert pipelines.call("CreatePipeline", request) == {"PipelineArn": ARN}
    assert len(pipelines.ListPipelineVersions(PipelineName="Flights")["PipelineVersionSummaries"]) == 1


def test_the_same_token_makes_one_pipeline(pipelines: Pipelines) -> None:
    token = pipelines.token()
    assert pipelines.create(ClientRequestToken=token) == pipelines.create(ClientRequestToken=token)
    with pytest.raises(Exception, match="was used before with other parameters") as raised:
        pipelines.create("Other", ClientRequestToken=token)
    error: Any = raised.value
    assert error.code == "ConflictException"


def test_a_wrong_definition_makes_nothing(pipelines: Pipelines) -> None:
    with pytest.raises(Exception, match="Unknown step 'Nobody'"):
        pipelines.create(steps=[processing("A", "Nobody")], Tags=[{"Key": "a", "Value": "b"}])
    assert pipelines.ListPipelines()["PipelineSummaries"] == []
    assert pipelines.engine.store.versions.get(ARN, 1) is None


def test_a_definition_is_given_once(pipelines: Pipelines) -> None:
    request = {"PipelineName": "P", "RoleArn": ROLE, "ClientRequestToken": pipelines.token()}
    neither = pipelines.fails("CreatePipeline", **request)
    assert neither.message == "Either Pipeline Definition or Pipeline Definition S3 location should be provided"
    location = {"Bucket": "b", "ObjectKey": "k"}
    both = pipelines.fails("CreatePipeline", **request, PipelineDefinition="{}", PipelineDefinitionS3Location=location)
    assert both.message == "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present"


def test_a_definition_from_s3_is_kept_as_it_was(pipelines: Pipelines) -> None:
    text = text_of([processing("FromS3")])
    pipelines.objects.create_bucket(SCOPE, "bucket")
    pipelines.objects.put_bytes("bucket", "definition.json", text.encode())
    location = {"Bucket": "bucket", "ObjectKey": "definition.json"}
    pipelines.create(PipelineDefinition=None, PipelineDefinitionS3Location=location)
    pipelines.objects.put_bytes("bucket", "definition.json", b"changed")
    assert pipelines.DescribePipeline(PipelineName="Flights")["PipelineDefinition"] == text
    for key, data in (("none", None), ("binary", b"\xff\xfe")):
        if data is not None:
            pipelines.objects.put_bytes("bucket", key, data)
        with pytest.raises(Exception, match=f"s3://bucket/{key}"):
            pipelines.create(
                "Other", PipelineDefinition=None, PipelineDefinitionS3Location=location | {"ObjectKey": key}
            )


def test_update_changes_what_is_given_and_counts_versions(pipelines: Pipelines) -> None:
    pipelines.create(PipelineDescription="old", ParallelismConfiguration={"MaxParallelExecutionSteps": 3})
    same = pipelines.UpdatePipeline(PipelineName="Flights", PipelineDescription="new")
    assert same == {"PipelineArn": ARN, "PipelineVersionId": 1}
    text = text_of([processing("B")])
    assert pipelines.UpdatePipeline(PipelineName="Flights", PipelineDefinition=text)["PipelineVersionId"] == 2
    assert pipelines.UpdatePipeline(PipelineName="Flights", PipelineDefinition=text)["PipelineVersionId"] == 2
    described = pipelines.DescribePipeline(PipelineName="Flights")
    assert described["PipelineDescription"] == "new"
    assert described["PipelineDefinition"] == text
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    assert described["LastModifiedTime"] > described["CreationTime"]
    first = pipelines.DescribePipeline(PipelineName="Flights", PipelineVersionId=1)
    assert first["PipelineDefinition"] == text_of([processing("A")])
    assert pipelines.fails("DescribePipeline", PipelineName="Flights", PipelineVersionId=3).code == "ResourceNotFound"


def test_a_wrong_update_changes_nothing(pipelines: Pipelines) -> None:
    pipelines.create()
    before = pipelines.DescribePipeline(PipelineName="Flights")
    error = pipelines.fails("UpdatePipeline", PipelineName="Flights", PipelineDescription="x", PipelineDefinition="{")
    assert error.code == "ValidationException"
    assert pipelines.DescribePipeline(PipelineName="Flights") == before


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DescribePipeline", {}),
        ("UpdatePipeline", {}),
        ("DeletePipeline", {"ClientRequestToken": "t" * 32}),
        ("StartPipelineExecution", {"ClientRequestToken": "t" * 32}),
        ("ListPipelineExecutions", {}),
    ],
)
@pytest.mark.parametrize("name", ["Flights", ARN])
def test_an_unknown_pipeline_is_not_found(pipelines: Pipelines, operation: str, members: Any, name: str) -> None:
    error = pipelines.fails(operation, PipelineName=name, **members)
    assert (error.code, error.message) == ("ResourceNotFound", f"Pipeline '{ARN}' does not exist.")


def test_pipelines_belong_to_an_account_and_region(pipelines: Pipelines) -> None:
    pipelines.create()
    for scope in (Scope("123456789012", "us-east-1"), Scope("210987654321", "eu-west-1")):
        with pytest.raises(Exception, match="does not exist"):
            pipelines.call("DescribePipeline", {"PipelineName": "Flights"}, scope)
        with pytest.raises(Exception, match="does not exist"):
            pipelines.call("DescribePipeline", {"PipelineName": ARN}, scope)
        assert pipelines.call("ListPipelines", {}, scope)["PipelineSummaries"] == []


def names(page: dict[str, Any]) -> list[str]:
    return [summary["PipelineName"] for summary in page["PipelineSummaries"]]


def test_list_filters_sorts_and_pages(pipelines: Pipelines) -> None:
    for name in ("b-one", "a-two", "a-one"):
        pipelines.create(name)
    assert names(pipelines.ListPipelines()) == ["a-one", "a-two", "b-one"], "the newest first"
    assert names(pipelines.ListPipelines(SortOrder="Ascending")) == ["b-one", "a-two", "a-one"]
    assert names(pipelines.ListPipelines(SortBy="Name", SortOrder="Ascending")) == ["a-one", "a-two", "b-one"]
    assert names(pipelines.ListPipelines(PipelineNamePrefix="a-")) == ["a-one", "a-two"]
    assert names(pipelines.ListPipelines(PipelineNamePrefix="-one")) == []
    assert names(pipelines.ListPipelines(ManagedBy="AWS")) == []
    now = datetime.now(UTC)
    assert names(pipelines.ListPipelines(CreatedAfter=now)) == []
    assert len(names(pipelines.ListPipelines(CreatedBefore=now))) == 3
    first = pipelines.ListPipelines(MaxResults=2)
    second = pipelines.ListPipelines(MaxResults=2, NextToken=first["NextToken"])
    assert (names(first), names(second), second["NextToken"]) == (["a-one", "a-two"], ["b-one"], None)


def test_the_last_run_is_shown(pipelines: Pipelines) -> None:
    pipelines.create()
    pipelines.wait(pipelines.start())
    started = pipelines.wait(pipelines.start())["CreationTime"]
    assert pipelines.DescribePipeline(PipelineName="Flights")["LastRunTime"] == started
    (summary,) = pipelines.ListPipelines()["PipelineSummaries"]
    assert summary["LastExecutionTime"] == started


def test_delete_takes_executions_along_but_not_running_ones(pipelines: Pipelines) -> None:
    pipelines.sagemaker.fates = {"A": "hold"}
    pipelines.create()
    arn = pipelines.start()
    request = {"PipelineName": "Flights", "ClientRequestToken": pipelines.token()}
    error = pipelines.fails("DeletePipeline", **request)
    assert error.code == "ConflictException"
    assert arn in error.message
    pipelines.StopPipelineExecution(PipelineExecutionArn=arn, ClientRequestToken=pipelines.token())
    pipelines.wait(arn)
    assert pipelines.DeletePipeline(**request) == {"PipelineArn": ARN}
    assert pipelines.fails("DescribePipelineExecution", PipelineExecutionArn=arn).code == "ResourceNotFound"
    assert pipelines.engine.store.steps(arn) == []
    pipelines.create(steps=[processing("B")])
    assert pipelines.ListPipelineExecutions(PipelineName="Flights")["PipelineExecutionSummaries"] == []
    assert pipelines.UpdatePipeline(PipelineName="Flights")["PipelineVersionId"] == 1
