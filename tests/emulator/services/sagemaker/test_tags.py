from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.store.resources import Scope
from tests.emulator.services.sagemaker.registry_calls import Registry

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/flights"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    registry.CreateModelPackageGroup(ModelPackageGroupName="flights")
    yield registry
    registry.close()


def test_tags_are_added_overwritten_and_deleted(registry: Registry) -> None:
    registry.AddTags(ResourceArn=ARN, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}])
    overwritten = registry.AddTags(ResourceArn=ARN, Tags=[{"Key": "b", "Value": "2"}])
    registry.DeleteTags(ResourceArn=ARN, TagKeys=["a", "never-there"])

    assert overwritten["Tags"] == [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]
    assert registry.ListTags(ResourceArn=ARN) == {"Tags": [{"Key": "b", "Value": "2"}]}


def test_a_resource_has_at_most_fifty_tags(registry: Registry) -> None:
    registry.AddTags(ResourceArn=ARN, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    registry.AddTags(ResourceArn=ARN, Tags=[{"Key": "k0", "Value": "overwriting is no new tag"}])
    error = registry.fails("AddTags", ResourceArn=ARN, Tags=[{"Key": "k50", "Value": ""}])
    assert "50" in error.message
    assert len(registry.ListTags(ResourceArn=ARN)["Tags"]) == 50


@pytest.mark.parametrize("keys", [["aws:owner"], ["AWS:x"], ["twice", "twice"]])
def test_reserved_and_repeated_keys_are_refused(registry: Registry, keys: list[str]) -> None:
    error = registry.fails("AddTags", ResourceArn=ARN, Tags=[{"Key": key, "Value": "x"} for key in keys])
    assert error.code == "ValidationException"
    assert registry.ListTags(ResourceArn=ARN) == {"Tags": []}


@pytest.mark.parametrize("operation", ["AddTags", "ListTags", "DeleteTags"])
def test_a_resource_that_is_not_there_is_named(registry: Registry, operation: str) -> None:
    missing = ARN.replace("flights", "trains")
    error = registry.fails(operation, ResourceArn=missing, Tags=[], TagKeys=["a"])
    assert error.code == "ValidationException"
    assert missing in error.message


def test_an_arn_is_found_in_any_case_but_not_from_another_account(registry: Registry) -> None:
    registry.AddTags(ResourceArn=ARN.replace("flights", "Flights"), Tags=[{"Key": "a", "Value": "1"}])
    assert registry.ListTags(ResourceArn=ARN)["Tags"] == [{"Key": "a", "Value": "1"}]
    with pytest.raises(Exception, match="does not exist"):
        registry.call("ListTags", {"ResourceArn": ARN}, Scope("210987654321", "eu-west-1"))
