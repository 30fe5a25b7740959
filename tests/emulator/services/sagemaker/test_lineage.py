"""Actions, artifacts, contexts and the associations between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import ResourceNotFound
from emulator.services.sagemaker import actions, artifacts, associations, contexts
from emulator.store.resources import Scope
from tests.emulator.services.sagemaker.registry_calls import SCOPE, Registry

MODULES = (actions, artifacts, associations, contexts)
PREFIX = "arn:aws:sagemaker:eu-west-1:123456789012"
SOURCE = {"SourceUri": "s3://models/data"}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    yield registry
    registry.close()


def create(registry: Registry, noun: str, name: str, uri: str = "s3://models/data", **more: Any) -> str:
    request = {f"{noun}Name": name, "Source": {"SourceUri": uri}, f"{noun}Type": "Thing", **more}
    return str(registry.call(f"Create{noun}", request)[f"{noun}Arn"])


def key(noun: str, name: str, arn: str) -> dict[str, str]:
    """How the operations on one entity name it."""
    return {"ArtifactArn": arn} if noun == "Artifact" else {f"{noun}Name": name}


@pytest.mark.parametrize("noun", ["Action", "Artifact", "Context"])
def test_an_entity_from_creation_to_deletion(registry: Registry, noun: str) -> None:
    arn = create(registry, noun, "e", Properties={"a": "1", "b": "2"}, Tags=[{"Key": "team", "Value": "x"}])
    one = key(noun, "e", arn)

    found = registry.call(f"Describe{noun}", one)
    assert arn.startswith(f"{PREFIX}:{noun.lower()}/")
    assert (found[f"{noun}Name"], found[f"{noun}Arn"], found[f"{noun}Type"]) == ("e", arn, "Thing")
    assert (found["Source"], found["Properties"]) == (SOURCE, {"a": "1", "b": "2"})
    assert registry.ListTags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "x"}]

    registry.call(f"Update{noun}", {**one, "Properties": {"a": "3", "c": "4"}, "PropertiesToRemove": ["b", "none"]})
    changed = registry.call(f"Describe{noun}", one)
    assert changed["Properties"] == {"a": "3", "c": "4"}
    assert changed["LastModifiedTime"] >= found["LastModifiedTime"]

    assert registry.call(f"Delete{noun}", one) == {f"{noun}Arn": arn}
    error = registry.fails(f"Describe{noun}", **one)
    assert (error.code, error.message) == ("ResourceNotFound", f"{noun} {arn} does not exist.")


@pytest.mark.parametrize("noun", ["Action", "Artifact", "Context"])
def test_a_second_entity_of_the_same_identity_is_refused(registry: Registry, noun: str) -> None:
    arn = create(registry, noun, "e")
    error = registry.fails(f"Create{noun}", **{f"{noun}Name": "e", "Source": SOURCE, f"{noun}Type": "Thing"})
    assert (error.code, error.message) == ("ValidationException", f"{noun} {arn} already exists.")


def test_an_artifact_is_its_source(registry: Registry) -> None:
    first = create(registry, "Artifact", "one")
    types = [{"SourceIdType": "MD5Hash", "Value": "1234"}]
    other = registry.CreateArtifact(Source={**SOURCE, "SourceTypes": types}, ArtifactType="Thing")["ArtifactArn"]
    assert first != other
    assert "ArtifactName" not in registry.DescribeArtifact(ArtifactArn=other)
    assert [("ArtifactName" in one) for one in registry.ListArtifacts()["ArtifactSummaries"]] == [False, True]

    assert registry.DeleteArtifact(Source=SOURCE) == {"ArtifactArn": first}
    both = {"ArtifactArn": other, "Source": {**SOURCE, "SourceTypes": types}}
    assert registry.DeleteArtifact(**both) == {"ArtifactArn": other}
    assert registry.fails("DeleteArtifact").message == "Either ArtifactArn or Source must be specified."


@pytest.mark.parametrize("noun", ["Action", "Artifact", "Context"])
def test_entities_are_listed_by_source_and_type_the_latest_first(registry: Registry, noun: str) -> None:
    for number in range(3):
        create(
            registry, noun, f"e-{number}", f"s3://models/{number}", **{f"{noun}Type": "Odd" if number % 2 else "Even"}
        )

    def names(**request: Any) -> list[str]:
        return [one[f"{noun}Name"] for one in registry.call(f"List{noun}s", request)[f"{noun}Summaries"]]

    assert names() == ["e-2", "e-1", "e-0"]
    assert names(SortOrder="Ascending") == ["e-0", "e-1", "e-2"]
    assert names(SourceUri="s3://models/1") == ["e-1"]
    assert names(**{f"{noun}Type": "Even"}) == ["e-2", "e-0"]
    page = registry.call(f"List{noun}s", {"MaxResults": 2})
    assert names(MaxResults=2, NextToken=page["NextToken"]) == ["e-0"]
    assert registry.call(f"List{noun}s", {}, Scope("210987654321", SCOPE.region))[f"{noun}Summaries"] == []


def test_members_of_an_action_are_replaced(registry: Registry) -> None:
    create(registry, "Action", "act", Status="InProgress", Description="before")
    registry.UpdateAction(ActionName="act", Status="Completed")
    found = registry.DescribeAction(ActionName=f"{PREFIX}:action/act")
    assert (found["Status"], found["Description"]) == ("Completed", "before")


def test_more_than_thirty_properties_are_refused(registry: Registry) -> None:
    create(registry, "Context", "c", Properties={str(number): "x" for number in range(30)})
    error = registry.fails("UpdateContext", ContextName="c", Properties={"one more": "x"})
    assert error.message == f"Context {PREFIX}:context/c would have 31 properties; the limit is 30."
    assert len(registry.DescribeContext(ContextName="c")["Properties"]) == 30


def test_associations_are_listed_by_their_ends(registry: Registry) -> None:
    artifact = create(registry, "Artifact", "data", ArtifactType="DataSet")
    action = create(registry, "Action", "train", ActionType="Training")
    context = create(registry, "Context", "team")
    registry.AddAssociation(SourceArn=artifact, DestinationArn=action, AssociationType="ContributedTo")
    registry.AddAssociation(SourceArn=action, DestinationArn=context)

    def ends(**request: Any) -> list[tuple[str, str]]:
        listed = registry.ListAssociations(**request)["AssociationSummaries"]
        return [(one["SourceName"], one["DestinationName"]) for one in listed]

    assert ends() == [("train", "team"), ("data", "train")]
    assert ends(SourceArn=artifact) == ends(SourceType="DataSet") == [("data", "train")]
    assert ends(DestinationArn=context) == ends(DestinationType="Thing") == [("train", "team")]
    assert ends(AssociationType="ContributedTo") == [("data", "train")]
    assert ends(SourceArn=context) == []
    assert [end for end, _ in ends(SortBy="SourceArn", SortOrder="Ascending")] == ["train", "data"]


def test_an_association_is_there_once_and_holds_its_ends(registry: Registry) -> None:
    artifact, action = create(registry, "Artifact", "data"), create(registry, "Action", "train")
    ends = {"SourceArn": artifact, "DestinationArn": action}
    assert registry.AddAssociation(**ends) == ends
    error = registry.fails("AddAssociation", **ends)
    assert error.code == "ValidationException"
    assert error.message == f"Association between source {artifact} and destination {action} already exists."
    for operation, request in (
        ("DeleteArtifact", {"ArtifactArn": artifact}),
        ("DeleteAction", {"ActionName": "train"}),
    ):
        assert "cannot be deleted because it has associations" in registry.fails(operation, **request).message

    with pytest.raises(ResourceNotFound):
        registry.call("DeleteAssociation", ends, Scope("210987654321", SCOPE.region))
    assert registry.DeleteAssociation(**ends) == ends
    assert registry.fails("DeleteAssociation", **ends).code == "ResourceNotFound"
    registry.DeleteArtifact(ArtifactArn=artifact)


def test_both_ends_of_an_association_must_be_there_and_differ(registry: Registry) -> None:
    action = create(registry, "Action", "train")
    for missing in (f"{PREFIX}:action/none", f"{PREFIX}:experiment/none"):
        error = registry.fails("AddAssociation", SourceArn=action, DestinationArn=missing)
        assert error.code == "ResourceNotFound"
        assert missing in error.message
    assert registry.fails("AddAssociation", SourceArn=action, DestinationArn=action).code == "ValidationException"
