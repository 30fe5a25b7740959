from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.checks import check_definition
from emulator.engine.conditions import check_condition, holds
from emulator.engine.definition import read_definition
from emulator.engine.environment import ExecutionEnvironment
from emulator.engine.errors import DefinitionError, ExpressionError
from tests.emulator.engine.fakes import FakeObjects, equals, processing, text_of
from tests.emulator.engine.fakes import condition as condition_step

COMPARISONS = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
ENVIRONMENT = ExecutionEnvironment(
    read_definition(text_of([processing("A")])), {"N": 3, "S": "3"}, {}, lambda step: None, FakeObjects()
)
texts = st.text()
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def compare(kind: str, left: Any, right: Any) -> bool:
    return holds({"Type": kind, "LeftValue": left, "RightValue": right}, ENVIRONMENT)


@pytest.mark.parametrize("kind", COMPARISONS)
@given(pair=st.tuples(texts, texts) | st.tuples(numbers, numbers))
def test_comparisons_compare_as_values_do(kind: str, pair: tuple[Any, Any]) -> None:
    assert compare(kind, *pair) is COMPARISONS[kind](*pair)


@given(value=texts | numbers | st.booleans())
def test_every_value_equals_itself(value: Any) -> None:
    assert compare("Equals", value, value)
    assert holds({"Type": "In", "QueryValue": value, "Values": [value]}, ENVIRONMENT)


@pytest.mark.parametrize("kind", COMPARISONS)
@given(
    pair=st.tuples(texts, numbers)
    | st.tuples(numbers, st.booleans())
    | st.tuples(st.booleans(), texts)
    | st.tuples(st.none(), texts | numbers | st.none())
    | st.tuples(st.lists(texts), st.lists(texts))
)
def test_operands_of_different_types_are_an_error(kind: str, pair: tuple[Any, Any]) -> None:
    with pytest.raises(ExpressionError, match="cannot be compared with"):
        compare(kind, *pair)
    with pytest.raises(ExpressionError, match="cannot be compared with"):
        compare(kind, *reversed(pair))


def test_large_integers_are_exact_against_floats() -> None:
    assert not compare("Equals", 2**53 + 1, float(2**53))
    assert compare("Equals", 3, 3.0)


def test_a_parameter_keeps_its_type() -> None:
    assert compare("Equals", {"Get": "Parameters.N"}, 3)
    with pytest.raises(ExpressionError, match="the number 3 cannot be compared with the string 3"):
        compare("Equals", {"Get": "Parameters.N"}, {"Get": "Parameters.S"})


def test_the_error_shows_long_values_shortened() -> None:
    with pytest.raises(ExpressionError) as raised:
        compare("Equals", "x" * 10_000, 1)
    assert len(str(raised.value)) < 300


@given(st.lists(st.booleans(), min_size=1))
def test_or_and_and(values: list[bool]) -> None:
    parts = [equals(value, True) for value in values]
    assert holds({"Type": "Or", "Conditions": parts}, ENVIRONMENT) is any(values)
    assert holds({"Type": "And", "Conditions": parts}, ENVIRONMENT) is all(values)


def _leaf(kind: str, pair: tuple[Any, Any]) -> tuple[dict[str, Any], bool]:
    return {"Type": kind, "LeftValue": pair[0], "RightValue": pair[1]}, COMPARISONS[kind](*pair)


def _among(value: Any, others: list[Any]) -> tuple[dict[str, Any], bool]:
    return {"Type": "In", "QueryValue": value, "Values": others}, value in others


def _joined(kind: str, parts: list[tuple[dict[str, Any], bool]]) -> tuple[dict[str, Any], bool]:
    truths = [truth for _, truth in parts]
    return {"Type": kind, "Conditions": [part for part, _ in parts]}, (all if kind == "And" else any)(truths)


trees = st.recursive(
    st.builds(_leaf, st.sampled_from(list(COMPARISONS)), st.tuples(texts, texts) | st.tuples(numbers, numbers))
    | st.builds(_among, texts, st.lists(texts, max_size=3))
    | st.builds(_among, numbers, st.lists(numbers, max_size=3)),
    lambda inner: (
        st.builds(lambda part: ({"Type": "Not", "Condition": part[0]}, not part[1]), inner)
        | st.builds(_joined, st.sampled_from(["And", "Or"]), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=12,
)


@given(trees)
def test_any_nesting_in_a_definition_s_text_means_what_it_says(tree: tuple[dict[str, Any], bool]) -> None:
    definition = read_definition(text_of([condition_step("C", [tree[0]])]))
    check_definition(definition)
    (read,) = definition.steps["C"].arguments["Conditions"]
    assert holds(read, ENVIRONMENT) is tree[1]


def test_in_and_not() -> None:
    assert holds({"Type": "In", "QueryValue": "b", "Values": ["a", "b"]}, ENVIRONMENT)
    assert not holds({"Type": "In", "QueryValue": "c", "Values": ["a", "b"]}, ENVIRONMENT)
    assert holds({"Type": "Not", "Condition": equals(1, 2)}, ENVIRONMENT)
    with pytest.raises(ExpressionError, match="expected a list"):
        holds({"Type": "In", "QueryValue": "c", "Values": {"Get": "Parameters.S"}}, ENVIRONMENT)


def test_an_operand_that_cannot_be_resolved_is_an_error_behind_or_too() -> None:
    broken = equals({"Get": "Steps.A.ProcessingJobName"}, "x")
    for kind in ("Or", "And"):
        for parts in ([equals(1, 1), broken], [broken, equals(1, 2)]):
            with pytest.raises(ExpressionError, match="step 'A' has no properties"):
                holds({"Type": kind, "Conditions": parts}, ENVIRONMENT)


@pytest.mark.parametrize("depth", [0, 1, 30, 75])
def test_nesting_of_not_and_or(depth: int) -> None:
    condition = equals("é'\"\\", "é'\"\\")
    for _ in range(depth):
        condition = {"Type": "Not", "Condition": {"Type": "Or", "Conditions": [condition, equals(1, 2)]}}
    check_condition(condition, "C", "Conditions[0]")
    assert holds(condition, ENVIRONMENT) is (depth % 2 == 0)


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({"Type": "Like"}, r"Unknown condition type 'Like'.*Conditions\[0\].Type"),
        ({"Type": ["Or"]}, "Unknown condition type"),
        ({}, "Unknown condition type 'None'"),
        ("x", "Expecting start of Json Object"),
        ({"Type": "Equals", "LeftValue": 1}, "Condition 'Equals' is missing 'RightValue'"),
        ({"Type": "Equals", "LeftValue": 1, "RightValue": 2, "X": 1}, "unknown property 'X'"),
        ({"Type": "Not", "Expression": {}}, "unknown property 'Expression'"),
        ({"Type": "Not", "Condition": {"Type": "X"}}, r"Conditions\[0\].Condition.Type"),
        ({"Type": "Or", "Conditions": [{"Type": "X"}]}, r"Conditions\[0\].Conditions\[0\].Type"),
        ({"Type": "Or", "Conditions": {}}, "Expecting start of Json Array"),
    ],
)
def test_a_malformed_condition_is_refused_with_its_place(condition: Any, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason) as raised:
        check_condition(condition, "Check", "Conditions[0]")
    assert "step 'Check'" in raised.value.message
