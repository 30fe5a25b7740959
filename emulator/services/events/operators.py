"""The comparison operators of event patterns (EventBridge User Guide, "Comparison operators"): which operands each
takes, and what it matches. Refusals carry EventBridge's words; the texts are those of the Event Ruler it runs on.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_IGNORE_CASE = "equals-ignore-case"
_BUT_FORM = "Value of anything-but must be an array or single string/number value."


class PatternError(ValueError):
    """It is no event pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class Operator:
    """``check`` refuses, with PatternError, an operand that AWS refuses; ``matches`` holds one against a value."""

    check: Callable[[Any], None]
    matches: Callable[[Any, Any], bool]


def same(wanted: Any, value: Any) -> bool:
    """Is a value of an event the one a pattern names? Types count, except integer and float."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return bool(wanted == value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_text(name: str) -> Callable[[Any], None]:
    def check(operand: Any) -> None:
        if not isinstance(operand, str):
            raise PatternError(f"{name} match pattern must be a string")

    return check


def _check_affix(name: str) -> Callable[[Any], None]:
    """A string, or ``{"equals-ignore-case": string}``."""

    def check(operand: Any) -> None:
        inner = operand[_IGNORE_CASE] if isinstance(operand, dict) and set(operand) == {_IGNORE_CASE} else operand
        _check_text(name)(inner)

    return check


def _affix(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def matches(operand: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        return test(value.lower(), operand[_IGNORE_CASE].lower()) if isinstance(operand, dict) else test(value, operand)

    return matches


def _equals_ignoring_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and operand.lower() == value.lower()


_WILDCARD = re.compile(r"\\(.?)|\*", re.DOTALL)


def _check_wildcard(operand: Any) -> None:
    _check_text("wildcard")(operand)
    last = -2
    for match in _WILDCARD.finditer(operand):
        if match[0] == "*":
            if match.start() == last + 1:
                raise PatternError(f"Consecutive wildcard characters at pos {last}")
            last = match.start()
        elif match[1] not in ("*", "\\"):
            raise PatternError(f"Invalid escape character at pos {match.start()}")


def _wildcard(operand: str, value: Any) -> bool:
    """``*`` stands for any characters, ``\\*`` and ``\\\\`` for themselves."""
    pieces: list[str] = []
    position = 0
    for match in _WILDCARD.finditer(operand):
        pieces += [re.escape(operand[position : match.start()]), re.escape(match[1]) if match[1] else ".*"]
        position = match.end()
    pattern = "".join([*pieces, re.escape(operand[position:])])
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
}


def _check_numeric(operand: Any) -> None:
    """One comparison, or a lower bound and then an upper one."""
    if not isinstance(operand, list):
        raise PatternError("Value of numeric must be an array.")
    if not operand:
        raise PatternError("Invalid member in numeric match: ]")
    for position in range(0, len(operand), 2):
        sign = operand[position]
        if sign not in _COMPARISONS:
            raise PatternError(f"Unrecognized numeric range operator: {sign}")
        if position and (sign[0] != "<" or operand[0][0] != ">"):
            raise PatternError(f"Bad numeric range operator: {sign}")
        if not _is_number(next(iter(operand[position + 1 :]), None)):
            raise PatternError(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    if len(operand) > 4:
        raise PatternError("Too many terms in numeric range expression")


def _numeric(operand: list[Any], value: Any) -> bool:
    bounds = zip(operand[::2], operand[1::2], strict=True)
    return _is_number(value) and all(_COMPARISONS[sign](value, bound) for sign, bound in bounds)


def _check_cidr(operand: Any) -> None:
    _check_text("prefix")(operand)  # AWS says prefix here
    address, slash, mask = operand.partition("/")
    if not slash or "/" in mask:
        raise PatternError("Malformed CIDR, one '/' required")
    if not mask.isdecimal():
        raise PatternError("Malformed CIDR, mask bits must be an integer")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise PatternError(f"Nonstandard IP address: {address}") from None
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError as error:
        raise PatternError(f"Malformed CIDR, {error}") from None


def _cidr(operand: str, value: Any) -> bool:
    try:
        return isinstance(value, str) and ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _check_exists(operand: Any) -> None:
    if not isinstance(operand, bool):
        raise PatternError("exists match pattern must be either true or false.")


def _check_anything_but(operand: Any) -> None:
    if isinstance(operand, dict):
        _check_but_operator(operand)
        return
    wanted = operand if isinstance(operand, list) else [operand]
    if not wanted:
        raise PatternError("Empty arrays are not allowed")
    for each in wanted:
        if not isinstance(each, str) and not _is_number(each):
            inside = "Inside anything but list, start|null|boolean is not supported."
            raise PatternError(inside if isinstance(operand, list) else _BUT_FORM)
    if len({isinstance(each, str) for each in wanted}) > 1:
        raise PatternError(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )


def _check_but_operator(operand: dict[str, Any]) -> None:
    """``{"prefix": text}``, also with a list of texts: of these operators, without ``equals-ignore-case`` inside."""
    if len(operand) != 1:
        raise PatternError("Only one key allowed in match expression")
    ((name, inner),) = operand.items()
    if name not in _BUT:
        raise PatternError(f"Unsupported anything-but pattern: {name}")
    if isinstance(inner, dict):
        raise PatternError(_BUT_FORM)
    for each in inner if isinstance(inner, list) else [inner]:
        if not isinstance(each, str):
            raise PatternError(_BUT[name])
        if name == "wildcard":
            _check_wildcard(each)
        elif not each and name != _IGNORE_CASE:
            raise PatternError("Null prefix/suffix not allowed")


_BUT: Mapping[str, str] = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
    _IGNORE_CASE: "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
}
"""What may stand inside anything-but, and how EventBridge refuses an operand that is no text."""


def _anything_but(operand: Any, value: Any) -> bool:
    """A value of another type than the operand's is something else, so it matches."""
    if isinstance(operand, dict):
        ((name, inner),) = operand.items()
        wanted = inner if isinstance(inner, list) else [inner]
        return not any(OPERATORS[name].matches(each, value) for each in wanted)
    wanted = operand if isinstance(operand, list) else [operand]
    return not any(same(each, value) for each in wanted)


OPERATORS: Mapping[str, Operator] = {
    "prefix": Operator(_check_affix("prefix"), _affix(str.startswith)),
    "suffix": Operator(_check_affix("suffix"), _affix(str.endswith)),
    _IGNORE_CASE: Operator(_check_text(_IGNORE_CASE), _equals_ignoring_case),
    "wildcard": Operator(_check_wildcard, _wildcard),
    "anything-but": Operator(_check_anything_but, _anything_but),
    "numeric": Operator(_check_numeric, _numeric),
    "cidr": Operator(_check_cidr, _cidr),
    "exists": Operator(_check_exists, lambda operand, value: bool(operand)),
}
