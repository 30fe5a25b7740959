"""Output parameters of Lambda and Callback steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.engine.definition import StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.steps.outputs import OUTPUTS, OutputError, check_outputs, shown_outputs, typed_outputs


def step(*outputs: Any) -> StepDefinition:
    return StepDefinition("S", "Lambda", {}, extra={OUTPUTS: list(outputs)})


def output(kind: str) -> dict[str, str]:
    return {"OutputName": "x", "OutputType": kind}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("String", "a", "a"), ("String", 3, "3"), ("String", True, "true"), ("String", {"a": [1]}, '{"a": [1]}'),
        ("Integer", 3, 3), ("Integer", "3", 3), ("Integer", 3.0, 3), ("Float", 2, 2.0), ("Float", "2.5", 2.5),
        ("Boolean", True, True), ("Boolean", "False", False),
    ],
)  # fmt: skip
def test_a_value_is_read_as_its_type(kind: str, value: Any, expected: Any) -> None:
    outputs = typed_outputs(step(output(kind)), {"x": value, "other": 1})
    assert outputs == {"x": expected}
    assert type(outputs["x"]) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("Integer", "many"), ("Integer", 2.5), ("Integer", True), ("Float", False), ("Float", [1]), ("Boolean", "yes"),
     ("Boolean", 1), ("Integer", float("inf")), ("Integer", float("nan")), ("Float", 10**400),
     ("Float", float("nan")), ("Float", "inf"), ("Float", "1_0"), ("Integer", "1_0")],
)  # fmt: skip
def test_another_value_is_an_error_that_names_it(kind: str, value: Any) -> None:
    with pytest.raises(OutputError, match=f"'x' is not of type {kind}"):
        typed_outputs(step(output(kind)), {"x": value})


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters()), st.just(10**400))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=50)
@given(st.sampled_from(["String", "Integer", "Float", "Boolean"]), VALUES)
def test_whatever_a_function_returns_is_of_its_type_or_said_not_to_be(kind: str, value: Any) -> None:
    try:
        outputs = typed_outputs(step(output(kind)), {"x": value})
    except OutputError:
        return
    assert json.loads(json.dumps(outputs)).keys() == outputs.keys()
    types = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
    assert all(type(found) is types[kind] for found in outputs.values())
    assert all(len(shown["Value"]) <= 1024 for shown in shown_outputs(outputs))


def test_an_output_that_was_not_given_has_no_value() -> None:
    assert typed_outputs(step(output("String")), {"x": None}) == {}
    assert typed_outputs(step(output("String")), {}) == {}


def test_values_are_shown_as_text_of_at_most_1024_characters() -> None:
    assert shown_outputs({"x": 2000 * "y"}) == [{"Name": "x", "Value": 1024 * "y"}]
    assert shown_outputs({"x": True}) == [{"Name": "x", "Value": "true"}]


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ([{"OutputType": "String"}], "needs an OutputName"),
        ([{"OutputName": "x", "OutputType": "Date"}], "Unknown output type 'Date'"),
        ([output("String"), output("Float")], "Duplicate output name 'x'"),
        ([{"OutputName": f"x{number}"} for number in range(51)], "at most 50"),
    ],
)
def test_wrong_declarations_are_refused(outputs: list[Any], reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        check_outputs(step(*outputs))
