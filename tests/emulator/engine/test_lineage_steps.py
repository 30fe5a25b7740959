"""Lineage steps on the real operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import Crash, eventually, processing, text_of
from tests.emulator.engine.real_operations import RealWorld, real_world

ACTION = {"ActionName": "act", "Source": {"SourceUri": "s3://b/y"}, "ActionType": "T"}
ARTIFACT = {"ArtifactName": "art", "Source": {"SourceUri": "s3://b/x"}, "ArtifactType": "DataSet"}
CONTEXT = {"ContextName": "con", "Source": {"SourceUri": "s3://b/z"}, "ContextType": "Team"}
EDGE = {
    "Source": {"Name": "art", "Type": "Artifact"},
    "Destination": {"Name": "act", "Type": "Action"},
    "AssociationType": "ContributedTo",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RealWorld]:
    with real_world(tmp_path) as world:
        yield world


def lineage(name: str = "Lin", **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Lineage", "Arguments": arguments}


WHOLE = lineage(Actions=[ACTION], Artifacts=[ARTIFACT], Contexts=[CONTEXT], Associations=[EDGE])


def made(world: RealWorld) -> tuple[int, ...]:
    """How many entities and associations there are."""
    kinds = ("action", "artifact", "context", "lineage-association")
    return tuple(len(world.resources.with_status(kind, "")) for kind in kinds)


def test_entities_are_created_and_associated(world: RealWorld) -> None:
    path = "Steps.Lin.ArtifactArns['art']"
    edge = "Steps.Lin.Associations[0].DestinationArn"
    after = processing("After", arguments={"Environment": {"ARN": {"Get": path}, "END": {"Get": edge}}})
    arn = world.start([WHOLE, after])
    assert world.wait(arn).status == "Succeeded"

    metadata = world.steps(arn)["Lin"].metadata["Lineage"]
    artifact, action = metadata["ArtifactArns"]["art"], metadata["ActionArns"]["act"]
    assert metadata["Associations"] == [{"SourceArn": artifact, "DestinationArn": action}]
    assert world.sagemaker.made("CreateProcessingJob")[0]["Environment"] == {"ARN": artifact, "END": action}
    (listed,) = world.call("ListAssociations", SourceArn=artifact)["AssociationSummaries"]
    assert (listed["DestinationName"], listed["AssociationType"]) == ("act", "ContributedTo")


def test_a_pipeline_may_run_again(world: RealWorld) -> None:
    for _ in range(2):
        assert world.wait(world.start([WHOLE])).status == "Succeeded"
    assert made(world) == (1, 1, 1, 1)


def test_another_entity_of_the_same_name_fails_the_step(world: RealWorld) -> None:
    world.call("CreateAction", **{**ACTION, "ActionType": "Other"})
    arn = world.start([WHOLE])
    assert world.wait(arn).status == "Failed"
    reason = world.steps(arn)["Lin"].reason
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateAction. Error Details: Action arn:")
    assert reason.endswith("action/act already exists.")


def test_existing_entities_are_associated_by_their_arn(world: RealWorld) -> None:
    existing = world.call("CreateContext", **CONTEXT)["ContextArn"]
    edge = {"Source": {"Name": "act", "Type": "Action"}, "Destination": {"Arn": existing}}
    assert world.wait(world.start([lineage(Actions=[ACTION], Associations=[edge])])).status == "Succeeded"
    assert made(world) == (1, 0, 1, 1)


def test_a_missing_arn_fails_the_step(world: RealWorld) -> None:
    edge = {**EDGE, "Destination": {"Arn": "arn:aws:sagemaker:eu-west-1:123456789012:action/none"}}
    arn = world.start([lineage(Artifacts=[ARTIFACT], Associations=[edge])])
    assert world.wait(arn).status == "Failed"
    assert "sagemaker:AddAssociation" in world.steps(arn)["Lin"].reason
    assert "action/none does not exist" in world.steps(arn)["Lin"].reason


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("call", range(4))
def test_a_crash_after_any_call_makes_nothing_twice(world: RealWorld, call: int) -> None:
    real = world.sagemaker.real
    calls = iter(range(99))

    def dying(*arguments: Any) -> dict[str, Any]:
        result = real(*arguments)
        if next(calls) == call:
            raise Crash
        return result

    world.sagemaker.real = dying
    arn = world.start([WHOLE])
    eventually(lambda: not world.engine._scheduler._thread.is_alive())
    world.restart()
    assert world.wait(arn).status == "Succeeded"
    assert made(world) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "A lineage step needs at least one entity or association."),
        ({"Things": []}, "Unknown Argument member 'Things'."),
        ({"Actions": {"a": 1}}, "Expecting start of Json Array. (step 'Lin', field Arguments.Actions)"),
        ({"Actions": [{**ACTION, "Extra": 1}]}, "Unknown Argument member 'Extra'."),
        ({"Actions": [{"Get": "Execution.PipelineName"}]}, "Expecting start of Json Object."),
        ({"Actions": [ACTION] * 6}, "A lineage step has at most 5 Actions; this has 6."),
        ({"Artifacts": [ARTIFACT], "Associations": [EDGE]}, "The step does not create Action 'act'"),
        ({"Associations": [{"Source": EDGE["Source"]}]}, "An association has Source, Destination and AssociationType."),
        (
            {"Actions": [ACTION], "Associations": [{**EDGE, "Source": {"Arn": "x", "Name": "y"}}]},
            "An end of an association has Arn, or Name and Type.",
        ),
        (
            {"Actions": [ACTION], "Associations": [{**EDGE, "Source": {"Name": "act", "Type": "Trial"}}]},
            "Unknown type 'Trial' of an entity. Known are Action, Artifact, Context.",
        ),
        (
            {"Actions": [ACTION], "Artifacts": [ARTIFACT], "Associations": [{**EDGE, "AssociationType": "Likes"}]},
            "failed to satisfy enum value set",
        ),
    ],
)
def test_steps_that_could_not_run_are_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        check_definition(read_definition(text_of([lineage(**arguments)])))
    assert reason in raised.value.message
    assert "step 'Lin'" in raised.value.message


def test_a_name_may_be_a_number(world: RealWorld) -> None:
    name = {"Get": "Parameters.Night"}
    edge = {**EDGE, "Source": {"Name": name, "Type": "Artifact"}}
    step = lineage(Actions=[ACTION], Artifacts=[{**ARTIFACT, "ArtifactName": name}], Associations=[edge])
    arn = world.start([step], parameters=[{"Name": "Night", "Type": "Integer", "DefaultValue": 7}])
    assert world.wait(arn).status == "Succeeded", world.steps(arn)["Lin"].reason


def test_references_to_what_a_lineage_step_does_not_have_are_refused() -> None:
    after = processing("After", arguments={"Environment": {"V": {"Get": "Steps.Lin.Arns['x']"}}})
    with pytest.raises(DefinitionError, match="a lineage step has ActionArns"):
        check_definition(read_definition(text_of([WHOLE, after])))
