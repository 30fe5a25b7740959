"""Event patterns (EventBridge User Guide, "Creating event patterns"): objects whose leaves are lists of wanted values.

Every field must match one of its list. SNS's filter policies are the same language.
"""

from __future__ import annotations

from typing import Any

from emulator.aws.documents import read_json
from emulator.services.events.operators import OPERATORS, PatternError, same

__all__ = ["PatternError", "check_pattern", "matches", "parse_pattern"]

_MISSING = object()
_EXISTS = "exists"


def parse_pattern(text: str) -> dict[str, Any]:
    """
    Raises:
        PatternError: it is not JSON, or not a pattern.
    """
    try:
        pattern = read_json(text)
    except ValueError as error:
        raise PatternError(f"Invalid JSON: {error}") from error
    if not isinstance(pattern, dict) or not pattern:
        raise PatternError("Filter is not an object")
    check_pattern(pattern)
    return pattern


def check_pattern(pattern: dict[str, Any]) -> None:
    """
    Raises:
        PatternError: an operator or its operand is none, or a leaf is no list.
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
    ((name, operand),) = wanted.items()
    if name not in OPERATORS:
        raise PatternError(f"Unrecognized match type {name}")
    OPERATORS[name].check(operand)


def matches(pattern: dict[str, Any], document: Any) -> bool:
    """Does the document have what a pattern that was checked wants? Of a list one element must have all of it.

    A name with dots is a path, in the pattern as in the document (EventBridge User Guide, "Considerations when creating
    event patterns").
    """
    return _has(_unfolded(pattern), _unfolded(document))


def _unfolded(value: Any) -> Any:
    """``{"a": {"b": 1}}`` for ``{"a.b": 1}``, at any depth."""
    if isinstance(value, list):
        return [_unfolded(each) for each in value]
    if not isinstance(value, dict):
        return value
    whole: dict[str, Any] = {}
    for name, inner in value.items():
        path = name.split(".") if all(name.split(".")) else [name]
        for part in reversed(path[1:]):
            inner = {part: inner}
        _merge(whole, path[0], _unfolded(inner))
    return whole


def _merge(whole: dict[str, Any], name: str, value: Any) -> None:
    there = whole.get(name)
    if isinstance(there, dict) and isinstance(value, dict):
        for inner in value:
            _merge(there, inner, value[inner])
    else:
        whole[name] = value


def _has(pattern: dict[str, Any], document: Any) -> bool:
    if isinstance(document, list) and document:
        return any(_has(pattern, each) for each in document)
    return all(_field_matches(name, wanted, document) for name, wanted in pattern.items())


def _field_matches(name: str, wanted: Any, document: Any) -> bool:
    if name == "$or":
        return any(_has(each, document) for each in wanted)
    value = document.get(name, _MISSING) if isinstance(document, dict) else _MISSING
    if isinstance(wanted, dict):
        return _has(wanted, {} if value is _MISSING else value)
    leaves = _leaves(value)
    return any(_leaf_matches(each, leaves) for each in wanted)


def _leaves(value: Any) -> list[Any]:
    """The values of a field: those of a list, however deeply it is nested; none where there is an object."""
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [] if value is _MISSING or isinstance(value, dict) else [value]


def _leaf_matches(wanted: Any, leaves: list[Any]) -> bool:
    if not isinstance(wanted, dict):
        return any(same(wanted, leaf) for leaf in leaves)
    ((name, operand),) = wanted.items()
    if name == _EXISTS:
        return bool(leaves) is operand
    return any(OPERATORS[name].matches(operand, leaf) for leaf in leaves)
