from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.errors import DefinitionError, ParameterError
from emulator.engine.parameters import Parameter, bind_parameters, parse_parameters


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("String", "", ""),
        ("String", "5", "5"),
        ("Integer", "5", 5),
        ("Integer", "-05", -5),
        ("Float", "0.75", 0.75),
        ("Float", "5", 5.0),
        ("Float", "1e-3", 0.001),
        ("Boolean", "true", True),
        ("Boolean", "False", False),
    ],
)
def test_texts_are_read_as_the_declared_type(kind: str, text: str, value: Any) -> None:
    read = Parameter("P", kind).read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Integer", "5.0"),
        ("Integer", "five"),
        ("Integer", ""),
        ("Integer", "9223372036854775808"),
        ("Integer", True),
        ("Integer", "1_000"),
        ("Integer", "\u0663"),
        ("Float", "nan"),
        ("Float", "inf"),
        ("Float", "1e999"),
        ("Boolean", "1"),
        ("Boolean", "yes"),
        ("String", 5),
    ],
)
def test_values_of_another_type_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"is not of type {kind}"):
        Parameter("P", kind).read(value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_integer_survives_its_text(value: int) -> None:
    assert Parameter("P", "Integer").read(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_survives_its_text(value: float) -> None:
    assert Parameter("P", "Float").read(repr(value)) == value


def test_defaults_and_given_values() -> None:
    declared = parse_parameters(
        [
            {"Name": "A", "Type": "Integer", "DefaultValue": 4},
            {"Name": "B", "Type": "String"},
            {"Name": "C", "Type": "Float", "DefaultValue": 6},
        ]
    )
    assert bind_parameters(declared, [{"Name": "B", "Value": "x"}]) == {"A": 4, "B": "x", "C": 6.0}
    assert bind_parameters(declared, [{"Name": "B", "Value": ""}, {"Name": "A", "Value": "7"}])["A"] == 7


@pytest.mark.parametrize(
    ("given_values", "reason"),
    [
        ([("Depth", "3")], r"Parameter 'Depth' is not defined in the pipeline\. Its parameters are: MaxDepth, Mode"),
        (
            [("MaxDepth", "deep"), ("Mode", "a")],
            r"Invalid value for parameter 'MaxDepth': 'deep' is not of type Integer",
        ),
        ([("Mode", "c")], r"Invalid value for parameter 'Mode': 'c' is not one of its enum values \[a, b\]"),
        ([], r"must be given at the start\. Missing: Mode"),
        ([("Mode", "a"), ("Mode", "b")], "given more than once"),
    ],
)
def test_values_that_do_not_fit_are_refused(given_values: list[tuple[str, str]], reason: str) -> None:
    declared = parse_parameters(
        [
            {"Name": "MaxDepth", "Type": "Integer", "DefaultValue": 3},
            {"Name": "Mode", "Type": "String", "EnumValues": ["a", "b"]},
        ]
    )
    with pytest.raises(ParameterError, match=reason):
        bind_parameters(declared, [{"Name": name, "Value": value} for name, value in given_values])


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "Expecting start of Json Array"),
        ([1], r"Expecting start of Json Object.*Parameters\[0\]"),
        ([{"Name": "a b", "Type": "String"}], "Invalid parameter name 'a b'"),
        ([{"Type": "String"}], "Invalid parameter name 'None'"),
        ([{"Name": "A", "Type": "Date"}], "unknown type 'Date'. Known are String, Integer, Float, Boolean"),
        ([{"Name": "A", "Type": "String", "Default": "x"}], "unknown property 'Default'"),
        ([{"Name": "A", "Type": "Integer", "DefaultValue": "x"}], "Parameter 'A': 'x' is not of type Integer"),
        ([{"Name": "A", "Type": "String", "DefaultValue": "c", "EnumValues": ["a"]}], "not one of its enum values"),
        ([{"Name": "A", "Type": "String", "EnumValues": "a"}], "Expecting start of Json Array"),
        ([{"Name": "A", "Type": "String"}, {"Name": "A", "Type": "Float"}], "Duplicate name 'A'"),
    ],
)
def test_malformed_declarations_are_refused(document: Any, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        parse_parameters(document)
