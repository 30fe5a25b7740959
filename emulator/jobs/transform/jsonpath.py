"""The part of JSONPath that batch transform knows (SageMaker Developer Guide, "Supported JSONPath Operators").

``$``, ``.name``, ``.*``, ``['name', 'other']``, ``[0, -1]``, ``[2:5]`` and lists of those. Several names give an object
of them, several places a list; what follows ``*`` or several places applies to each. No filters, no ``..``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

_NAME = re.compile(r"[^.\[\]'\"*\s,:]+")
_BRACKET = re.compile(r"""\[((?:[^\]'"]|'[^']*'|"[^"]*")*)\]""")
_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*""")
_PLACE = re.compile(r"\s*(-?\d+)\s*")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*")


class JsonPathError(ValueError):
    """The expression is not of the supported subset, or the value does not have what it names."""


@dataclass(frozen=True, slots=True)
class Names:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    places: tuple[int | slice, ...]

    @property
    def single(self) -> int | None:
        first = self.places[0]
        return first if len(self.places) == 1 and isinstance(first, int) else None


@dataclass(frozen=True, slots=True)
class Everything:
    """``*``: all members of an object, all elements of a list."""


Step: TypeAlias = Names | Places | Everything


class JsonPath:
    """A parsed expression; calling it selects from a value."""

    def __init__(self, expression: str) -> None:
        """
        Raises:
            JsonPathError: the expression is not of the supported subset.
        """
        self.expression = expression
        self.steps = _parse(expression)
        self._shortcut = _shortcut(self.steps)

    @property
    def selects_all(self) -> bool:
        """``$``: whatever there is, unchanged."""
        return not self.steps

    def __call__(self, value: Any) -> Any:
        """
        Raises:
            JsonPathError: the value does not have what the expression names.
        """
        if self._shortcut is not None and isinstance(value, list):
            try:
                return self._shortcut(value)
            except IndexError:
                pass  # said below, with which
        return _select(value, self.steps, self.expression)


def _shortcut(steps: tuple[Step, ...]) -> Callable[[list[Any]], Any] | None:
    """The quick way for what is asked of every row of CSV: one slice, or some places."""
    match steps:
        case (Places((slice() as part,)),):
            return lambda items: items[part]
        case (Places(places),) if len(places) > 1 and not any(isinstance(place, slice) for place in places):
            several = itemgetter(*places)
            return lambda items: list(several(items))
        case _:
            return None


def _parse(expression: str) -> tuple[Step, ...]:
    text = expression.strip()
    if not text.startswith("$"):
        raise JsonPathError(f"JSONPath {expression!r} does not begin with $")
    steps: list[Step] = []
    position = 1
    while position < len(text):
        step, position = _parse_step(text, position, expression)
        if steps and isinstance(steps[-1], Names) and len(steps[-1].names) > 1:
            raise JsonPathError(f"JSONPath {expression!r}: nothing may follow several names")
        steps.append(step)
    return tuple(steps)


def _parse_step(text: str, position: int, expression: str) -> tuple[Step, int]:
    dotted = text[position] == "."
    start = position + dotted
    if match := _BRACKET.match(text, start):
        return _parse_bracket(match[1], expression), match.end()
    if dotted and text[start : start + 1] == "*":
        return Everything(), start + 1
    if dotted and (match := _NAME.match(text, start)):
        return Names((match[0],)), match.end()
    raise JsonPathError(f"JSONPath {expression!r} is not supported from {text[position:]!r} on")


def _parse_bracket(content: str, expression: str) -> Step:
    if content.strip() == "*":
        return Everything()
    names = _all_of(_QUOTED, content, lambda match: match[1] if match[1] is not None else match[2])
    if names:
        return Names(tuple(names))
    places: list[int | slice] = []
    for part in content.split(","):
        if match := _PLACE.fullmatch(part):
            places.append(int(match[1]))
        elif match := _SLICE.fullmatch(part):
            places.append(slice(*(None if bound is None else int(bound) for bound in match.groups())))
        else:
            raise JsonPathError(f"JSONPath {expression!r}: [{content}] is neither names nor places")
    return Places(tuple(places))


def _all_of(pattern: re.Pattern[str], content: str, read: Callable[[re.Match[str]], str]) -> list[str]:
    """The items of a comma-separated list, none where not all of it matches."""
    found = []
    position = 0
    while match := pattern.match(content, position):
        found.append(read(match))
        position = match.end()
        if position == len(content):
            return found
        if content[position] != ",":
            break
        position += 1
    return []


def _select(value: Any, steps: tuple[Step, ...], expression: str) -> Any:
    for number, step in enumerate(steps):
        match step:
            case Names((name,)):
                value = _member(value, name, expression)
            case Names(names):
                return {name: _member(value, name, expression) for name in names}
            case Places() if (place := step.single) is not None:
                value = _element(value, place, expression)
            case _:
                rest = steps[number + 1 :]
                return [_select(item, rest, expression) for item in _several(value, step, expression)]
    return value


def _several(value: Any, step: Step, expression: str) -> list[Any]:
    if isinstance(step, Everything):
        if isinstance(value, dict):
            return list(value.values())
        return _list(value, expression)
    assert isinstance(step, Places)
    items = _list(value, expression)
    found: list[Any] = []
    for place in step.places:
        found += items[place] if isinstance(place, slice) else [_element(items, place, expression)]
    return found


def _member(value: Any, name: str, expression: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise JsonPathError(f"JSONPath {expression!r}: there is no {name!r} in the record")
    return value[name]


def _element(value: Any, place: int, expression: str) -> Any:
    items = _list(value, expression)
    if not -len(items) <= place < len(items):
        raise JsonPathError(f"JSONPath {expression!r}: the record has {len(items)} elements, none at {place}")
    return items[place]


def _list(value: Any, expression: str) -> list[Any]:
    if not isinstance(value, list):
        raise JsonPathError(f"JSONPath {expression!r}: the record is no list where one is asked for")
    return value
