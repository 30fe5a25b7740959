"""Conditions of a Condition step: typed comparison, nested to any depth.

Operands compare as what they are: strings with strings, booleans with booleans, numbers with numbers (Integer with
Float as well). Anything else is an error, not False: a wrong branch is worse than a failed step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from emulator.engine.errors import DefinitionError, ExpressionError
from emulator.engine.expressions import Environment, as_text, evaluate

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}

_FIELDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_COMPARISONS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
    "And": ("Conditions",),
}


def holds(condition: dict[str, Any], environment: Environment) -> bool:
    """Is the condition true in this execution? Every operand of And and Or is resolved, so none fails unseen.

    Raises:
        ExpressionError: an operand cannot be resolved, or operands cannot be compared.
    """
    match condition["Type"]:
        case "Not":
            return not holds(condition["Condition"], environment)
        case "Or":
            return any(_outcomes(condition, environment))
        case "And":
            return all(_outcomes(condition, environment))
        case "In":
            wanted = evaluate(condition["QueryValue"], environment)
            matches = [_compare("Equals", wanted, value) for value in _members(condition, environment)]
            return any(matches)
        case comparison:
            left = evaluate(condition["LeftValue"], environment)
            return _compare(comparison, left, evaluate(condition["RightValue"], environment))


def _outcomes(condition: dict[str, Any], environment: Environment) -> list[bool]:
    return [holds(part, environment) for part in condition["Conditions"]]


def _members(condition: dict[str, Any], environment: Environment) -> list[Any]:
    values = evaluate(condition["Values"], environment)
    if not isinstance(values, list):
        raise ExpressionError("the Values of condition In", f"expected a list, not {describe(values)}")
    return values


def _compare(comparison: str, left: Any, right: Any) -> bool:
    if _class_of(left) != _class_of(right) or _class_of(left) is None:
        raise ExpressionError(f"condition {comparison}", f"{describe(left)} cannot be compared with {describe(right)}")
    return _COMPARISONS[comparison](left, right)


def _class_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else None


def describe(value: Any) -> str:
    """The value with its type, for messages."""
    if value is None:
        return "null"
    kind = _class_of(value) or ("list" if isinstance(value, list) else "object")
    text = as_text(value)
    return f"the {kind} {text if len(text) <= 100 else text[:97] + '...'}"


def check_condition(condition: Any, step: str, field: str) -> None:
    """Refuse a condition that is not one.

    Raises:
        DefinitionError: unknown type, missing or unknown member.
    """
    if not isinstance(condition, dict):
        raise DefinitionError("Expecting start of Json Object.", step=step, field=field)
    kind = condition.get("Type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        known = ", ".join(_FIELDS)
        raise DefinitionError(f"Unknown condition type '{kind}'. Known are {known}.", step=step, field=f"{field}.Type")
    for member in condition:
        if member not in ("Type", *_FIELDS[kind]):
            raise DefinitionError(f"Cannot parse object, unknown property '{member}'.", step=step, field=field)
    for member in _FIELDS[kind]:
        if condition.get(member) is None:
            raise DefinitionError(f"Condition '{kind}' is missing '{member}'.", step=step, field=field)
    if kind == "Not":
        check_condition(condition["Condition"], step, f"{field}.Condition")
    elif "Conditions" in condition:
        check_conditions(condition["Conditions"], step, f"{field}.Conditions")


def check_conditions(conditions: Any, step: str, field: str) -> None:
    """Refuse what is not a list of conditions.

    Raises:
        DefinitionError: see ``check_condition``.
    """
    if not isinstance(conditions, list):
        raise DefinitionError("Expecting start of Json Array.", step=step, field=field)
    for number, part in enumerate(conditions):
        check_condition(part, step, f"{field}[{number}]")
