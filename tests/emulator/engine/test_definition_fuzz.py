"""Whatever a definition holds, it is accepted or refused with a reason: never a crash, never a hang."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import condition, equals, fail, processing, register, training

REPORT = {"PropertyFileName": "R", "OutputName": "out", "FilePath": "r.json"}
AUC = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.PropertyFiles.R"}, "Path": "auc.value"}}
VALID = {
    "Version": "2020-12-01",
    "Metadata": {},
    "Parameters": [{"Name": "N", "Type": "Integer", "DefaultValue": 3, "EnumValues": [3, 4]}],
    "PipelineExperimentConfig": {"ExperimentName": {"Get": "Execution.PipelineName"}},
    "Steps": [
        processing("A", PropertyFiles=[REPORT], CacheConfig={"Enabled": True}, RetryPolicies=[]),
        training("T", "A", arguments={"HyperParameters": {"n": {"Get": "Parameters.N"}}}),
        condition(
            "C",
            [{"Type": "Or", "Conditions": [{"Type": "Not", "Condition": equals(AUC, 1)}, equals("a", "b")]}],
            [register("R", DependsOn=["T"])],
            [fail("F", {"Std:Join": {"On": " ", "Values": ["bad", AUC]}})],
        ),
    ],
}
PREFIX = "Unable to parse pipeline definition. "
EXPRESSIONS = [
    {"Get": "Steps.A"},
    {"Get": "Steps.C.Outcome"},
    {"Get": "Parameters.N"},
    {"Get": ""},
    {"Get": "Steps.A.ProcessingInputs[0]['x']"},
    {"Std:Join": {"Values": [{"Get": "Steps.F.x"}]}},
    {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "["}},
    {"Std:X": 1},
]
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(EXPRESSIONS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document."""
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for key, item in children for place in places(item, (*path, key))]


def check(document: Any) -> None:
    check_definition(read_definition(json.dumps(document)))


def refusal(document: Any) -> str | None:
    """Why the document is refused, None if it is accepted; any other error is a bug and goes on."""
    try:
        check(document)
    except DefinitionError as error:
        return error.message
    return None


def test_the_valid_definition_is_valid() -> None:
    check(VALID)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(places(VALID)[1:]), value=anything)
def test_a_definition_with_anything_anywhere(place: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(VALID)
    holder: Any = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    assert (refusal(document) or PREFIX).startswith(PREFIX)


@pytest.mark.parametrize("place", places(VALID)[1:], ids=str)
def test_a_definition_without_any_one_part(place: tuple[Any, ...]) -> None:
    document = copy.deepcopy(VALID)
    holder: Any = document
    for key in place[:-1]:
        holder = holder[key]
    del holder[place[-1]]
    assert (refusal(document) or PREFIX).startswith(PREFIX)


def test_as_deep_as_allowed() -> None:
    deep: Any = "x"
    for _ in range(78):
        deep = {"Std:Join": {"On": "", "Values": [deep]}}
    check({"Steps": [fail("F", deep)]})
    with pytest.raises(DefinitionError, match="more than 250 levels deep"):
        check({"Steps": [fail("F", _deeper(deep))]})


def _deeper(value: Any) -> Any:
    for _ in range(10):
        value = {"Std:Join": {"On": "", "Values": [value]}}
    return value


def test_thirty_conditions_inside_each_other() -> None:
    steps = [fail("Last", "deep")]
    for level in range(30):
        steps = [condition(f"C{level}", [equals(1, 1)], steps)]
    check({"Steps": steps})
