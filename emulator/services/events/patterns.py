"""Event patterns (EventBridge User Guide, "Creating event patterns" and "Comparison operators").

A pattern is an object whose leaves are lists of wanted values; every field must match one of its list. SNS's filter
policies are the same language.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any

_MISSING = object()


class PatternError(ValueError):
    """It is no event pattern; the message says why."""


def parse_pattern(text: str) -> dict[str, Any]:
    """
    Raises:
        PatternError: it is not JSON, or not a pattern.
    """
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PatternError(f"Invalid JSON: {error}") from error
    if not isinstance(pattern, dict) or not pattern:
        raise PatternError("Filter is not an object")
    check_pattern(pattern)
    return pattern


def check_pattern(pattern: dict[str, Any]) -> None:
    """
    Raises:
        PatternError: an operator is unknown, or a leaf is no list.
    """
    for name, wanted in pattern.items():
        if name == "$or":
            if not isinstance(wanted, list) or len(wanted) < 2 or not all(isinstance(each, dict) for each in wanted):
                raise PatternError("$or must be an array of two or more patterns")
            for each in wanted:
                check_pattern(each)
        elif isinstance(wanted, dict):
            if not wanted:
                raise PatternError("Empty objects are not allowed")
            check_pattern(wanted)
        elif not isinstance(wanted, list):
            raise PatternError(f'"{name}" must be an object or an array')
        elif not wanted:
            raise PatternError("Empty arrays are not allowed")
        else:
            for each in wanted:
                _check_leaf(each)


def _check_leaf(wanted: Any) -> None:
    if isinstance(wanted, list):
        raise PatternError("Arrays within arrays are not allowed")
    if not isinstance(wanted, dict):
        return
    if len(wanted) != 1:
        raise PatternError("Only one key allowed in match expression")
    ((operator, operand),) = wanted.items()
    if operator not in _OPERATORS:
        raise PatternError(f"Unrecognized match type {operator}")
    try:
        _OPERATORS[operator](operand, "x")
        _OPERATORS[operator](operand, 1)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise PatternError(f"Value of {operator} is not valid: {json.dumps(operand)[:100]}") from error


def matches(pattern: dict[str, Any], document: Any) -> bool:
    """Does the document have what a pattern that was checked wants?"""
    return all(_field_matches(name, wanted, document) for name, wanted in pattern.items())


def _field_matches(name: str, wanted: Any, document: Any) -> bool:
    if name == "$or":
        return any(matches(each, document) for each in wanted)
    if isinstance(document, list):  # of a list of objects, any one may match
        return any(_field_matches(name, wanted, each) for each in document) or (
            not document and _field_matches(name, wanted, {})
        )
    value = document.get(name, _MISSING) if isinstance(document, dict) else _MISSING
    if isinstance(wanted, dict):
        return matches(wanted, {} if value is _MISSING else value)
    values = value if isinstance(value, list) else [value]
    return any(_leaf_matches(each, values) for each in wanted)


def _leaf_matches(wanted: Any, values: list[Any]) -> bool:
    if isinstance(wanted, dict):
        ((operator, operand),) = wanted.items()
        if operator == "exists":
            there = any(value is not _MISSING and not isinstance(value, dict) for value in values)
            return there == bool(operand)
        test = _OPERATORS[operator]
        return any(value is not _MISSING and test(operand, value) for value in values)
    return any(value is not _MISSING and _same(wanted, value) for value in values)


def _same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return bool(wanted == value)


def _text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """A comparison of texts whose operand may be ``{"equals-ignore-case": …}``."""

    def compare(operand: Any, value: Any) -> bool:
        if not isinstance(operand, str | dict):
            raise TypeError
        if isinstance(operand, dict):
            text = str(operand["equals-ignore-case"]).lower()
            return isinstance(value, str) and test(text, value.lower())
        return isinstance(value, str) and test(operand, value)

    return compare


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        ((operator, inner),) = operand.items()
        if operator not in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
            raise ValueError(operator)
        wanted = inner if isinstance(inner, list) else [inner]
        return isinstance(value, str) and not any(_OPERATORS[operator](each, value) for each in wanted)
    wanted = operand if isinstance(operand, list) else [operand]
    return not isinstance(value, dict) and not any(_same(each, value) for each in wanted)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
}


def _numeric(operand: Any, value: Any) -> bool:
    if len(operand) not in (2, 4):
        raise ValueError
    tests = [(_COMPARISONS[operand[at]], float(operand[at + 1])) for at in range(0, len(operand), 2)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(test(float(value), bound) for test, bound in tests)


def _cidr(operand: Any, value: Any) -> bool:
    network = ipaddress.ip_network(operand, strict=False)
    try:
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


def _wildcard(operand: Any, value: Any) -> bool:
    pattern = "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", operand))
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


def _exists(operand: Any, value: Any) -> bool:
    if not isinstance(operand, bool):
        raise TypeError
    return operand


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _text(lambda text, value: value.startswith(text)),
    "suffix": _text(lambda text, value: value.endswith(text)),
    "equals-ignore-case": lambda operand, value: isinstance(value, str) and operand.lower() == value.lower(),
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
