"""Resource policies of model package groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.services.sagemaker import model_package_group_policies
from tests.emulator.services.sagemaker.registry_calls import Registry

MODULES = (model_package_group_policies,)
GROUP = {"ModelPackageGroupName": "flights"}
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/flights"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    registry.CreateModelPackageGroup(**GROUP)
    yield registry
    registry.close()


def test_a_policy_is_kept_replaced_and_deleted(registry: Registry) -> None:
    assert registry.PutModelPackageGroupPolicy(**GROUP, ResourcePolicy=POLICY) == {"ModelPackageGroupArn": ARN}
    other = POLICY.replace("Allow", "Deny")
    registry.PutModelPackageGroupPolicy(**GROUP, ResourcePolicy=other)
    assert registry.GetModelPackageGroupPolicy(**GROUP) == {"ResourcePolicy": other}
    assert "ResourcePolicy" not in registry.DescribeModelPackageGroup(**GROUP)
    assert registry.DeleteModelPackageGroupPolicy(**GROUP) == {}
    assert registry.fails("GetModelPackageGroupPolicy", **GROUP).message == f"Cannot find resource policy for: {ARN}"


def test_without_a_policy_there_is_none_to_delete(registry: Registry) -> None:
    error = registry.fails("DeleteModelPackageGroupPolicy", **GROUP)
    assert (error.code, error.message) == ("ValidationException", f"Cannot find resource policy for: {ARN}")


@pytest.mark.parametrize("document", ["{", "[]", "{}", '{"Statement": []}'])
def test_what_is_no_policy_is_refused(registry: Registry, document: str) -> None:
    error = registry.fails("PutModelPackageGroupPolicy", **GROUP, ResourcePolicy=document)
    assert error.code == "ValidationException"
    assert "Invalid resource policy" in error.message


def test_the_group_must_exist(registry: Registry) -> None:
    for operation in ("GetModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy"):
        assert registry.fails(operation, ModelPackageGroupName="none").code == "ValidationException"
