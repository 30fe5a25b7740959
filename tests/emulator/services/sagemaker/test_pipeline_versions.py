from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.engine.fakes import processing, text_of
from tests.emulator.services.sagemaker.pipeline_calls import Pipelines

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/Flights"


@pytest.fixture
def pipelines(tmp_path: Path) -> Iterator[Pipelines]:
    made = Pipelines(tmp_path)
    yield made
    made.close()


def update(pipelines: Pipelines, step: str, **members: Any) -> int:
    request = {"PipelineName": "Flights", "PipelineDefinition": text_of([processing(step)]), **members}
    return int(pipelines.call("UpdatePipeline", request)["PipelineVersionId"])


def edit(pipelines: Pipelines, version: int, *, add: list[str] | None = None, remove: list[str] | None = None) -> None:
    operations = {"Add": add or [], "Remove": remove or []}
    pipelines.UpdatePipelineVersion(
        PipelineArn=ARN, PipelineVersionId=version, PipelineVersionAliasOperations=operations
    )


def listed(pipelines: Pipelines, **members: Any) -> list[dict[str, Any]]:
    return list(
        pipelines.call("ListPipelineVersions", {"PipelineName": "Flights", **members})["PipelineVersionSummaries"]
    )


def test_every_change_of_the_definition_is_a_version(pipelines: Pipelines) -> None:
    pipelines.create()
    assert [update(pipelines, step) for step in "BBA"] == [2, 2, 3]
    newest, *_, oldest = listed(pipelines)
    assert (newest["PipelineVersionId"], oldest["PipelineVersionId"], len(listed(pipelines))) == (3, 1, 3)
    assert newest["PipelineArn"] == ARN
    assert newest["CreationTime"] > oldest["CreationTime"]
    assert [it["PipelineVersionId"] for it in listed(pipelines, SortOrder="Ascending")] == [1, 2, 3]


def test_pages_and_filters(pipelines: Pipelines) -> None:
    pipelines.create()
    for number in range(4):
        update(pipelines, f"S{number}")
    found, token = [], None
    while True:
        request = {"PipelineName": ARN, "MaxResults": 2, **({"NextToken": token} if token else {})}
        answer = pipelines.call("ListPipelineVersions", request)
        found.append([it["PipelineVersionId"] for it in answer["PipelineVersionSummaries"]])
        token = answer["NextToken"]
        if token is None:
            break
    assert found == [[5, 4], [3, 2], [1]]
    third = listed(pipelines)[2]
    moment = datetime.fromtimestamp(third["CreationTime"], UTC)
    assert [it["PipelineVersionId"] for it in listed(pipelines, CreatedAfter=moment)][:2] == [5, 4]
    assert [it["PipelineVersionId"] for it in listed(pipelines, CreatedBefore=moment)][-2:] == [2, 1]
    assert len(listed(pipelines, CreatedAfter=moment)) + len(listed(pipelines, CreatedBefore=moment)) in (4, 5)
    for forged in ("?", base64.b64encode(b"-1").decode(), base64.b64encode(b"9" * 30).decode()):
        wrong = pipelines.fails("ListPipelineVersions", PipelineName=ARN, NextToken=forged)
        assert wrong.code == "ValidationException"


def test_a_version_knows_its_last_execution(pipelines: Pipelines) -> None:
    pipelines.create()
    update(pipelines, "B")
    first, second = pipelines.start(PipelineVersionId=1), pipelines.start(PipelineVersionId=1)
    assert first != second
    assert [it["LastExecutionPipelineExecutionArn"] for it in listed(pipelines)] == [None, second]
    pipelines.wait(second)
    assert [step["StepName"] for step in pipelines.steps(second)] == ["A"]
    assert pipelines.describe(second)["PipelineVersionId"] == 1


def test_names_and_descriptions(pipelines: Pipelines) -> None:
    pipelines.create()
    pipelines.UpdatePipelineVersion(PipelineArn=ARN, PipelineVersionId=1, PipelineVersionDisplayName="first")
    changed = pipelines.UpdatePipelineVersion(PipelineArn=ARN, PipelineVersionId=1, PipelineVersionDescription="good")
    assert changed == {"PipelineArn": ARN, "PipelineVersionId": 1}
    described = pipelines.DescribePipeline(PipelineName="Flights")
    for answer in (described, listed(pipelines)[0]):
        assert (answer["PipelineVersionDisplayName"], answer["PipelineVersionDescription"]) == ("first", "good")
    update(pipelines, "B")
    assert pipelines.DescribePipeline(PipelineName="Flights")["PipelineVersionDisplayName"] is None


def test_an_alias_stands_for_its_version_everywhere(pipelines: Pipelines) -> None:
    pipelines.create(PipelineVersionAliases=["prod", "v1.0"])
    assert update(pipelines, "B", PipelineVersionAliases=["test"]) == 2
    prod = pipelines.DescribePipeline(PipelineName="Flights", PipelineVersionAlias="prod")
    assert prod["PipelineVersionAliases"] == ["prod", "v1.0"]
    assert prod["PipelineDefinition"] == text_of([processing("A")])
    execution = pipelines.start(PipelineVersionAlias="prod")
    other = pipelines.start()
    assert pipelines.describe(execution)["PipelineVersionId"] == 1
    assert pipelines.describe(other)["PipelineVersionAliases"] == ["test"]
    page = pipelines.ListPipelineExecutions(PipelineName="Flights", PipelineVersionAlias="prod")
    (summary,) = page["PipelineExecutionSummaries"]
    assert (summary["PipelineExecutionArn"], summary["PipelineVersionAliases"]) == (execution, ["prod", "v1.0"])
    edit(pipelines, 1, remove=["prod"])
    edit(pipelines, 2, add=["prod"])
    assert pipelines.describe(execution)["PipelineVersionAliases"] == ["v1.0"], "what it has now"
    (moved,) = pipelines.ListPipelineExecutions(PipelineName="Flights", PipelineVersionAlias="prod")[
        "PipelineExecutionSummaries"
    ]
    assert moved["PipelineExecutionArn"] == other


@pytest.mark.parametrize("operation", ["DescribePipeline", "StartPipelineExecution", "ListPipelineExecutions"])
def test_an_unknown_alias_is_not_found(pipelines: Pipelines, operation: str) -> None:
    pipelines.create()
    error = pipelines.fails(
        operation, PipelineName="Flights", PipelineVersionAlias="prod", ClientRequestToken=pipelines.token()
    )
    assert error.code == "ResourceNotFound"


@pytest.mark.parametrize("operation", ["DescribePipeline", "StartPipelineExecution"])
def test_a_version_is_named_once(pipelines: Pipelines, operation: str) -> None:
    pipelines.create(PipelineVersionAliases=["prod"])
    members = {"PipelineVersionAlias": "prod", "PipelineVersionId": 1, "ClientRequestToken": pipelines.token()}
    error = pipelines.fails(operation, PipelineName="Flights", **members)
    assert (error.code, "both" in error.message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("add", "remove", "code"),
    [
        (["123"], [], "ValidationException"),
        (["a", "a"], [], "ValidationException"),
        (["prod"], [], "ConflictException"),
        ([], ["prod"], "ResourceNotFound"),
        ([], ["unknown"], "ResourceNotFound"),
        ([f"a{number}" for number in range(11)], [], "ValidationException"),
    ],
)
def test_wrong_changes_of_aliases_change_nothing(
    pipelines: Pipelines, add: list[str], remove: list[str], code: str
) -> None:
    pipelines.create(PipelineVersionAliases=["prod"])
    update(pipelines, "B")
    operations = {"Add": add, "Remove": remove}
    error = pipelines.fails(
        "UpdatePipelineVersion",
        PipelineArn=ARN,
        PipelineVersionId=2,
        PipelineVersionDescription="new",
        PipelineVersionAliasOperations=operations,
    )
    assert error.code == code
    assert [(it["PipelineVersionAliases"], it["PipelineVersionDescription"]) for it in listed(pipelines)] == [
        ([], None),
        (["prod"], None),
    ]


def test_an_update_gives_aliases_to_a_new_version_only(pipelines: Pipelines) -> None:
    pipelines.create(PipelineVersionAliases=["prod"])
    same = pipelines.fails("UpdatePipeline", PipelineName="Flights", PipelineVersionAliases=["x"])
    assert "only when the pipeline definition changes" in same.message
    request = {"PipelineName": "Flights", "PipelineDefinition": text_of([processing("B")])}
    taken = pipelines.fails("UpdatePipeline", **request, PipelineVersionAliases=["prod"])
    assert taken.code == "ConflictException"
    assert [it["PipelineVersionId"] for it in listed(pipelines)] == [1], "the version was not made"


def test_an_unknown_version_is_not_found(pipelines: Pipelines) -> None:
    pipelines.create()
    for version in (2, 2**63):
        error = pipelines.fails("UpdatePipelineVersion", PipelineArn=ARN, PipelineVersionId=version)
        assert error.code == "ResourceNotFound"


def test_a_deleted_pipeline_takes_its_aliases_along(pipelines: Pipelines) -> None:
    pipelines.create(PipelineVersionAliases=["prod"])
    pipelines.DeletePipeline(PipelineName="Flights", ClientRequestToken=pipelines.token())
    pipelines.create()
    assert listed(pipelines)[0]["PipelineVersionAliases"] == []
