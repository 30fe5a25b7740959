from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from pipelines.difference import compare, fields_between, lost_caches, shown
from tests.pipelines.checks.cases import tiny


@pytest.fixture
def definition(tmp_path: Path) -> dict[str, Any]:
    return tiny(tmp_path).subject().definition


def summary(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [
        (change.kind, change.what, change.name, tuple(field.path for field in change.fields))
        for change in compare(old, new)
    ]


def test_the_same_has_no_changes(definition: dict[str, Any]) -> None:
    assert compare(definition, copy.deepcopy(definition)) == []
    assert lost_caches(definition, copy.deepcopy(definition)) == {}


def test_a_changed_default_is_one_field(definition: dict[str, Any]) -> None:
    new = copy.deepcopy(definition)
    new["Parameters"][1]["DefaultValue"] = 9
    assert summary(definition, new) == [("changed", "parameter", "MaxDepth", ("DefaultValue",))]


def test_steps_that_come_and_go(definition: dict[str, Any]) -> None:
    new = copy.deepcopy(definition)
    new["Steps"] = [new["Steps"][0] | {"Name": "Begin"}, *new["Steps"][1:]]
    assert summary(definition, new) == [("removed", "step", "Prepare", ()), ("added", "step", "Begin", ())]


def test_list_items_go_by_their_names(definition: dict[str, Any]) -> None:
    new = copy.deepcopy(definition)
    inputs = new["Steps"][0]["Arguments"]["ProcessingInputs"]
    inputs.reverse()
    assert compare(definition, new) == []
    inputs[0]["S3Input"]["S3Uri"] = "s3://bucket/other.py"
    ((_, _, name, fields),) = summary(definition, new)
    assert (name, fields) == ("Prepare", ("Arguments.ProcessingInputs[code].S3Input.S3Uri",))


def test_a_step_that_moves_into_a_branch_has_changed(definition: dict[str, Any]) -> None:
    new = copy.deepcopy(definition)
    failure = new["Steps"][2]["Arguments"]["ElseSteps"].pop()
    new["Steps"][2]["Arguments"]["IfSteps"] = [failure]
    assert summary(definition, new) == [("changed", "step", "TooLow", ("Branch",))]


def test_an_expression_is_one_value() -> None:
    (field,) = fields_between({"x": {"Get": "Parameters.A"}}, {"x": {"Get": "Parameters.B"}})
    assert (field.path, shown(field.old), shown(field.new)) == ("x", "A", "B")


@pytest.mark.parametrize(
    ("path", "value", "lost"),
    [
        (("HyperParameters", "depth"), "5", "HyperParameters.depth"),
        (("ResourceConfig", "InstanceType"), "ml.m5.xlarge", None),
        (("OutputDataConfig", "S3OutputPath"), "s3://bucket/elsewhere", None),
        (("RoleArn",), "arn:aws:iam::123456789012:role/Other", None),
    ],
)
def test_only_members_of_the_key_lose_the_cache(
    definition: dict[str, Any], path: tuple[str, ...], value: str, lost: str | None
) -> None:
    new = copy.deepcopy(definition)
    target = new["Steps"][1]["Arguments"]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    assert lost_caches(definition, new) == ({"Train": lost} if lost else {})


def test_a_default_and_an_earlier_step_lose_the_cache_too(definition: dict[str, Any]) -> None:
    new = copy.deepcopy(definition)
    new["Parameters"][1]["DefaultValue"] = 9
    assert lost_caches(definition, new) == {"Train": "default of MaxDepth"}
    new = copy.deepcopy(definition)
    new["Steps"][0]["Arguments"]["Environment"] = {"LEVEL": "debug"}
    assert lost_caches(definition, new) == {"Train": "outputs of Prepare"}
