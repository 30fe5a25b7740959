from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.services.sagemaker import search  # noqa: F401  registers its operation
from tests.emulator.services.sagemaker.registry_calls import MODEL, Registry, specification


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    registry.CreateModelPackageGroup(ModelPackageGroupName="flights", Tags=[{"Key": "team", "Value": "air"}])
    registry.CreateModelPackageGroup(ModelPackageGroupName="trains", ModelPackageGroupDescription="on rails")
    for status in ("Approved", "Rejected", "Approved"):
        registry.CreateModelPackage(
            ModelPackageGroupName="flights", InferenceSpecification=specification(), ModelApprovalStatus=status
        )
    yield registry
    registry.close()


def versions(registry: Registry, *filters: dict[str, Any], **members: Any) -> list[int]:
    expression = {"Filters": list(filters), **members.pop("expression", {})}
    found = registry.Search(Resource="ModelPackage", SearchExpression=expression, **members)
    return [record["ModelPackage"]["ModelPackageVersion"] for record in found["Results"]]


def where(name: str, value: str = "", how: str = "Equals") -> dict[str, Any]:
    return {"Name": name, "Operator": how, "Value": value}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (where("ModelApprovalStatus", "Approved"), {1, 3}),
        (where("ModelApprovalStatus", "Approved", "NotEquals"), {2}),
        (where("ModelApprovalStatus", "Rejected, Other", "In"), {2}),
        (where("ModelApprovalStatus", "prov", "Contains"), {1, 3}),
        (where("ModelPackageVersion", "2", "GreaterThanOrEqualTo"), {2, 3}),
        (where("ModelPackageVersion", "2", "LessThan"), {1}),
        (where("CreationTime", "2020-01-01T00:00:00Z", "GreaterThan"), {1, 2, 3}),
        (where("InferenceSpecification.Containers.ModelDataUrl", MODEL), {1, 2, 3}),
        (where("ApprovalDescription", how="Exists"), set()),
        (where("ApprovalDescription", how="NotExists"), {1, 2, 3}),
    ],
)
def test_filters_compare_what_describe_says(registry: Registry, given: dict[str, Any], expected: set[int]) -> None:
    assert set(versions(registry, given)) == expected


def test_filters_are_joined_by_and_or_as_asked(registry: Registry) -> None:
    both = (where("ModelApprovalStatus", "Approved"), where("ModelPackageVersion", "1"))
    assert versions(registry, *both) == [1]
    assert set(versions(registry, *both, expression={"Operator": "Or"})) == {1, 3}
    nested = {"SubExpressions": [{"Filters": list(both)}, {"Filters": [where("ModelPackageVersion", "2")]}]}
    assert set(versions(registry, expression={**nested, "Operator": "Or"})) == {1, 2}


def test_one_item_of_a_list_must_satisfy_all_nested_filters(registry: Registry) -> None:
    name = "InferenceSpecification.Containers"

    def found(image: str) -> list[int]:
        filters = [where(f"{name}.ModelDataUrl", MODEL), where(f"{name}.Image", image, "Contains")]
        return versions(registry, expression={"NestedFilters": [{"NestedPropertyName": name, "Filters": filters}]})

    assert len(found("xgboost")) == 3
    assert found("sklearn") == []


def test_results_are_sorted_and_come_in_pages(registry: Registry) -> None:
    order = {"SortBy": "ModelPackageVersion", "SortOrder": "Ascending"}
    first = registry.Search(Resource="ModelPackage", MaxResults=2, **order)
    assert first["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}
    assert versions(registry, MaxResults=2, NextToken=first["NextToken"], **order) == [3]
    assert versions(registry, SortBy="ModelPackageVersion") == [3, 2, 1]


def test_tags_can_be_searched(registry: Registry) -> None:
    found = registry.Search(Resource="ModelPackageGroup", SearchExpression={"Filters": [where("Tags.team", "air")]})
    assert [record["ModelPackageGroup"]["ModelPackageGroupName"] for record in found["Results"]] == ["flights"]


def test_there_is_nothing_of_a_type_that_this_emulator_has_not(registry: Registry) -> None:
    assert registry.Search(Resource="ModelCard")["Results"] == []
