from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulator.store.resources import Scope
from tests.emulator.services.sagemaker.registry_calls import Registry, specification

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/flights"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    yield registry
    registry.close()


def test_a_group_is_described_by_name_and_by_arn(registry: Registry) -> None:
    created = registry.CreateModelPackageGroup(
        ModelPackageGroupName="Flights",
        ModelPackageGroupDescription="late or not",
        Tags=[{"Key": "team", "Value": "x"}],
    )
    by_name = registry.DescribeModelPackageGroup(ModelPackageGroupName="Flights")

    assert created == {"ModelPackageGroupArn": ARN.replace("flights", "Flights")}
    assert by_name == registry.DescribeModelPackageGroup(ModelPackageGroupName=ARN)
    assert by_name["ModelPackageGroupName"] == "Flights"
    assert by_name["ModelPackageGroupDescription"] == "late or not"
    assert by_name["ModelPackageGroupStatus"] == "Completed"
    assert "LastVersion" not in by_name
    assert registry.ListTags(ResourceArn=created["ModelPackageGroupArn"])["Tags"] == [{"Key": "team", "Value": "x"}]


@pytest.mark.parametrize("name", ["flights", "FLIGHTS"])
def test_a_name_is_taken_in_any_case(registry: Registry, name: str) -> None:
    registry.CreateModelPackageGroup(ModelPackageGroupName="flights")
    error = registry.fails("CreateModelPackageGroup", ModelPackageGroupName=name)
    taken = ARN.replace("flights", name)
    assert (error.code, error.message) == ("ValidationException", f"Model Package Group already exists: {taken}")


@pytest.mark.parametrize("operation", ["DescribeModelPackageGroup", "DeleteModelPackageGroup", "ListModelPackages"])
def test_a_missing_group_is_named_as_aws_names_it(registry: Registry, operation: str) -> None:
    error = registry.fails(operation, ModelPackageGroupName="flights")
    assert (error.code, error.message) == ("ValidationException", f"ModelPackageGroup {ARN} does not exist.")


def test_a_group_belongs_to_one_region_and_account(registry: Registry) -> None:
    registry.CreateModelPackageGroup(ModelPackageGroupName="flights")
    for scope in (Scope("123456789012", "us-east-1"), Scope("210987654321", "eu-west-1")):
        assert registry.call("ListModelPackageGroups", {}, scope)["ModelPackageGroupSummaryList"] == []
        assert registry.call("CreateModelPackageGroup", {"ModelPackageGroupName": "flights"}, scope)


def test_a_list_is_newest_first_in_pages_and_filtered(registry: Registry) -> None:
    for name in ("alpha", "beta", "alphabet"):
        registry.CreateModelPackageGroup(ModelPackageGroupName=name)

    def names(**request: object) -> list[str]:
        found = registry.ListModelPackageGroups(**request)["ModelPackageGroupSummaryList"]
        return [group["ModelPackageGroupName"] for group in found]

    first = registry.ListModelPackageGroups(MaxResults=2)
    assert names() == ["alphabet", "beta", "alpha"]
    assert names(SortBy="Name") == ["alpha", "alphabet", "beta"]
    assert names(SortBy="Name", SortOrder="Descending", NameContains="ALPHA") == ["alphabet", "alpha"]
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["alpha"]
    assert names(CreationTimeAfter=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert names(CrossAccountFilterOption="CrossAccount") == []


def test_a_group_with_versions_cannot_be_deleted(registry: Registry) -> None:
    registry.CreateModelPackageGroup(ModelPackageGroupName="flights")
    arn = registry.CreateModelPackage(ModelPackageGroupName="flights", InferenceSpecification=specification())
    refused = registry.fails("DeleteModelPackageGroup", ModelPackageGroupName="flights")
    registry.DeleteModelPackage(ModelPackageName=arn["ModelPackageArn"])
    registry.DeleteModelPackageGroup(ModelPackageGroupName="flights")

    assert refused.code == "ConflictException"
    assert "does not exist" in registry.fails("DescribeModelPackageGroup", ModelPackageGroupName="flights").message
