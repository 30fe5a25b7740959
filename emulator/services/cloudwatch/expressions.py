"""Metric math, as far as arithmetic goes: ``100 * errors / requests`` (CloudWatch User Guide, "Using metric math").

A value is a series (Unix seconds to numbers) or a number. Two series meet where both have a value; what cannot be
computed, as a division by nought, is left out.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import TypeAlias

from emulator.aws.errors import NotImplementedHere
from emulator.services.cloudwatch.errors import validation

Series: TypeAlias = dict[int, float]
Value: TypeAlias = "Series | float"
Lookup: TypeAlias = Callable[[str], Series]
"""Gives the series of a query by its id."""

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|([-+*/^(),]))")
_MOST_NESTED = 50
_LEVELS: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
)
_OF_SERIES: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: math.fsum(values) / len(values),
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
}
_OF_VALUES: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


def evaluate(text: str, lookup: Lookup) -> Series:
    """The series that an expression stands for.

    Raises:
        NotImplementedHere: CloudWatch may know what it asks for, the emulator does not.
        CloudWatchError: it is no expression, or comes to a number.
    """
    if text.lstrip()[:7].upper() == "SELECT ":
        raise NotImplementedHere(f"MetricDataQueries Expression '{text}': the emulator has no Metrics Insights yet.")
    parser = _Parser(text, lookup)
    value = parser.sum()
    if parser.token:
        raise _malformed(text, f"{parser.token!r} is not expected")
    if not isinstance(value, dict):
        raise validation(f"Error in expression '{text}': it must come to a time series, not to a number.")
    return value


def _malformed(text: str, why: str) -> Exception:
    return validation(f"Error in expression '{text}': {why}.")


class _Parser:
    """Reads and computes in one go; ``token`` is the next one, empty at the end."""

    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text = text
        self._lookup = lookup
        self._position = 0
        self._depth = 0
        self.token = ""
        self._advance()

    def _advance(self) -> str:
        """The token; the next one takes its place."""
        taken = self.token
        found = _TOKEN.match(self._text, self._position)
        if found is None and self._text[self._position :].strip():
            raise NotImplementedHere(
                f"MetricDataQueries Expression '{self._text}': of metric math the emulator has + - * / ^ and"
                f" {', '.join(sorted(_OF_SERIES | _OF_VALUES))}."
            )
        self.token = found[0].strip() if found else ""
        self._position = found.end() if found else len(self._text)
        return taken

    def sum(self, level: int = 0) -> Value:
        if level == len(_LEVELS):
            return self._power()
        value = self.sum(level + 1)
        while self.token in _LEVELS[level]:
            compute = _LEVELS[level][self._advance()]
            value = combine(compute, value, self.sum(level + 1))
        return value

    def _power(self) -> Value:
        if self.token == "-":  # binds less than a power does
            self._advance()
            return combine(operator.mul, -1.0, self._nested(self._power))
        base = self._atom()
        if self.token != "^":
            return base
        self._advance()
        return combine(math.pow, base, self._nested(self._power))

    def _atom(self) -> Value:
        token = self._advance()
        if token == "(":
            return self._closed()
        if token[:1].isdigit() or token.startswith("."):
            return float(token)
        if not token.isidentifier():
            raise _malformed(self._text, f"{token!r} is not expected" if token else "it ends too early")
        return self._call(token) if self.token == "(" else dict(self._lookup(token))

    def _call(self, name: str) -> Value:
        if name not in _OF_SERIES and name not in _OF_VALUES:
            known = ", ".join(sorted(_OF_SERIES | _OF_VALUES))
            raise NotImplementedHere(f"MetricDataQueries Expression: the emulator has no function {name}, but {known}.")
        self._advance()
        value = self._closed()
        if name in _OF_VALUES:
            compute = _OF_VALUES[name]
            return combine(lambda one, _: compute(one), value, 0.0)
        if not isinstance(value, dict):
            raise _malformed(self._text, f"{name} is of a time series")
        return _OF_SERIES[name](list(value.values())) if value else math.nan

    def _closed(self) -> Value:
        value = self._nested(self.sum)
        if self._advance() != ")":
            raise _malformed(self._text, "a parenthesis is not closed")
        return value

    def _nested(self, read: Callable[[], Value]) -> Value:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise _malformed(self._text, "it is nested too deeply")
        value = read()
        self._depth -= 1
        return value


def combine(compute: Callable[[float, float], float], one: Value, other: Value) -> Value:
    """Point by point where there is a series; a number that cannot be computed makes an empty one."""
    if isinstance(one, dict) or isinstance(other, dict):
        first = one if isinstance(one, dict) else dict.fromkeys(other, one)  # type: ignore[arg-type]
        second = other if isinstance(other, dict) else dict.fromkeys(first, other)
        found = {moment: _computed(compute, first[moment], second[moment]) for moment in first if moment in second}
        return {moment: value for moment, value in found.items() if value is not None}
    value = _computed(compute, one, other)
    return {} if value is None else value


def _computed(compute: Callable[[float, float], float], one: float, other: float) -> float | None:
    try:
        value = float(compute(one, other))
    except (ArithmeticError, ValueError):
        return None
    return value if math.isfinite(value) else None
