"""Paths into JSON documents: ``a.b``, ``[0]``, ``['key']``, as ``Get`` and ``Std:JsonGet`` use them.

A quoted key selects a member of an object, or of a list the element that carries this name
(``Outputs['train']`` is the output whose ``OutputName`` is ``train``). A quote ends where ``]`` follows, so keys may
have quotes in them as the SDKs write them; a backslash before a quote or a backslash stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from emulator.aws.documents import read_json

NAME_MEMBERS = (
    "OutputName",
    "InputName",
    "ChannelName",
    "MetricName",
    "VariantName",
    "ContainerHostname",
    "ParameterName",
    "Name",
    "Key",
)
"""Members by which the elements of a list are called, in order of preference."""

_SEGMENT = re.compile(
    r"""
      (?P<dot>\.)?  (?P<member>[^.\[\]'"\s][^.\[\]'"]*)
    | \[ \s* (?P<index>\d{1,9}) \s* \]
    | \[ \s* (?P<quote>['"]) (?P<key>.*?) (?P=quote) \s* \]
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""\\(['"\\])""")


@dataclass(frozen=True, slots=True)
class Member:
    """``.name``: a member of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """``['name']``: a member of an object, or the element of a list that has this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """``[n]``: an element of a list."""

    number: int


Segment: TypeAlias = Member | Key | Index
Path: TypeAlias = tuple[Segment, ...]


class PathError(ValueError):
    """The path is malformed, or leads to nothing in the document."""


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Take a path apart.

    Raises:
        PathError: it does not follow the grammar.
    """
    segments: list[Segment] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None or (match["member"] is not None and bool(match["dot"]) != bool(position)):
            raise PathError(f"'{text}' is not a path: expected .name, [0] or ['name'] at position {position + 1}")
        segments.append(_segment(match))
        position = match.end()
    return tuple(segments)


def _segment(match: re.Match[str]) -> Segment:
    if match["member"] is not None:
        return Member(match["member"])
    if match["index"] is not None:
        return Index(int(match["index"]))
    return Key(_ESCAPED.sub(r"\1", match["key"]))


def show(segment: Segment) -> str:
    """The segment as it is written in a path."""
    match segment:
        case Member(name):
            return f".{name}"
        case Key(name):
            escaped = name.replace("\\", "\\\\")
            return f"['{escaped}']"
        case Index(number):
            return f"[{number}]"


def select(document: Any, path: Path, *, enter_text: bool = False) -> Any:
    """The value that the path leads to; with ``enter_text`` it goes on inside strings that hold JSON.

    Raises:
        PathError: there is none; the message says where the way ends and what is there.
    """
    value = document
    for number, segment in enumerate(path):
        try:
            value = _step_into(_opened(value) if enter_text else value, segment)
        except PathError as error:
            done = "".join(show(part) for part in path[:number]).lstrip(".")
            raise PathError(f"{error}{f' in {done}' if done else ''}") from None
    return value


def _opened(value: Any) -> Any:
    """The document that a string holds, or the value as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return read_json(value)
    except ValueError as error:
        raise PathError(f"the string is not valid JSON: {error}") from None


def _step_into(value: Any, segment: Segment) -> Any:
    match segment:
        case Member(name) | Key(name) if isinstance(value, Mapping):
            if name not in value:
                raise PathError(f"there is no '{name}'; there is {_names(value)}")
            return value[name]
        case Key(name) if _is_list(value):
            return _element_named(value, name)
        case Index(number) if _is_list(value):
            if number >= len(value):
                raise PathError(f"there is no element {number}; the list has {len(value)}")
            return value[number]
        case _:
            raise PathError(f"{show(segment)} does not apply to {_kind(value)}")


def _element_named(elements: Sequence[Any], name: str) -> Any:
    for member in NAME_MEMBERS:
        for element in elements:
            if isinstance(element, Mapping) and element.get(member) == name:
                return element
    names = [name_of(element) for element in elements]
    raise PathError(f"no element is named '{name}'; there is {', '.join(map(str, names)) or 'none'}")


def name_of(element: Any) -> str | None:
    """The name of a list's element, None if it has none."""
    if not isinstance(element, Mapping):
        return None
    return next((str(element[member]) for member in NAME_MEMBERS if isinstance(element.get(member), str)), None)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _names(value: Mapping[str, Any]) -> str:
    shown = sorted(map(str, value))
    return ", ".join(shown[:20]) + (", …" if len(shown) > 20 else "") if shown else "nothing"


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case _:
            return "a list"
