"""What may be tuned: numbers between bounds on a scale, and choices. Every value is a text, as hyperparameters are.

Strategies see a number as a place between 0 and 1; its scale says what lies there (SageMaker Developer Guide,
"Define Hyperparameter Ranges").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Scale = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]
WIDE = 1000.0
"""From this ratio of its bounds on, ``Auto`` takes a positive range as logarithmic. AWS does not say how it chooses."""


class RangeError(ValueError):
    """A range that has no values, or no place on its scale."""


@dataclass(frozen=True, slots=True)
class Number:
    name: str
    low: float
    high: float
    scale: Scale
    integer: bool

    def at(self, place: float) -> str:
        """The value at a place between 0 and 1."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = self._unscaled(low + (high - low) * min(max(place, 0.0), 1.0))
        value = min(max(value, self.low), self.high)
        return str(round(value)) if self.integer else repr(float(value))

    def place(self, text: str) -> float | None:
        """Where a value lies between 0 and 1, None if outside."""
        try:
            value = float(text)
        except ValueError:
            return None
        if not self.low <= value <= self.high:
            return None
        low, high = self._scaled(self.low), self._scaled(self.high)
        return 0.5 if low == high else (self._scaled(value) - low) / (high - low)

    def _scaled(self, value: float) -> float:
        match self.scale:
            case "Logarithmic":
                return math.log(value)
            case "ReverseLogarithmic":
                return -math.log(1.0 - value)
        return value

    def _unscaled(self, value: float) -> float:
        match self.scale:
            case "Logarithmic":
                return math.exp(value)
            case "ReverseLogarithmic":
                return 1.0 - math.exp(-value)
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    values: tuple[str, ...]


Parameter: TypeAlias = Number | Choice


def read_ranges(ranges: Mapping[str, Any]) -> list[Parameter]:
    """The parameters of a ParameterRanges, in the order in which Describe shows them.

    Raises:
        RangeError: one of them cannot be used; the message names it.
    """
    parameters: list[Parameter] = []
    parameters += [_number(item, integer=True) for item in ranges.get("IntegerParameterRanges", [])]
    parameters += [_number(item, integer=False) for item in ranges.get("ContinuousParameterRanges", [])]
    parameters += [_choice(item) for item in ranges.get("CategoricalParameterRanges", [])]
    parameters += [_hinted(item) for item in ranges.get("AutoParameters", [])]
    names = [parameter.name for parameter in parameters]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise RangeError(f"hyperparameter {twice} has more than one range")
    return parameters


def _number(item: Mapping[str, str], *, integer: bool) -> Number:
    name = item["Name"]
    try:
        low, high = (int(item[m]) if integer else float(item[m]) for m in ("MinValue", "MaxValue"))
    except ValueError as error:
        kind = "integers" if integer else "numbers"
        raise RangeError(f"the bounds of hyperparameter {name} must be {kind}") from error
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise RangeError(f"hyperparameter {name}: MinValue {low} must not be greater than MaxValue {high}")
    return Number(name, low, high, _scale(item.get("ScalingType", "Auto"), name, low, high, integer=integer), integer)


def _scale(asked: str, name: str, low: float, high: float, *, integer: bool) -> Scale:
    match asked:
        case "Logarithmic":
            if low <= 0:
                raise RangeError(f"hyperparameter {name}: Logarithmic scaling needs a MinValue greater than 0")
            return "Logarithmic"
        case "ReverseLogarithmic":
            if integer or low < 0 or high >= 1:
                raise RangeError(
                    f"hyperparameter {name}: ReverseLogarithmic scaling is for continuous ranges within 0 <= x < 1"
                )
            return "ReverseLogarithmic"
        case "Auto" if low > 0 and high / low >= WIDE:
            return "Logarithmic"
    return "Linear"


def _choice(item: Mapping[str, Any]) -> Choice:
    values = tuple(dict.fromkeys(item["Values"]))
    return Choice(item["Name"], values)


def _hinted(item: Mapping[str, str]) -> Parameter:
    """A range around a hint, ten times each way; what is no number is the only choice."""
    name, hint = item["Name"], item["ValueHint"]
    try:
        value = float(hint)
    except ValueError:
        return Choice(name, (hint,))
    integer = hint.strip().lstrip("+-").isdigit()
    if value == 0:
        return Number(name, 0, 1, "Linear", integer)
    low, high = sorted((value / 10, value * 10))
    if integer:
        low, high = (max(1, round(low)), round(high)) if value > 0 else (round(low), min(-1, round(high)))
    return Number(name, low, high, "Logarithmic" if low > 0 else "Linear", integer)
