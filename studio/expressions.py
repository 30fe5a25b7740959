"""Expressions of a pipeline definition: what they refer to, what they say in words, their value where it is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Look = Callable[[Mapping[str, Any]], Any]
"""Gives the value of a ``{"Get": …}`` or ``{"Std:JsonGet": …}``; raises KeyError where it is not known."""


def references(value: Any) -> Iterator[str]:
    """Every path that is read anywhere within ``value``: ``Parameters.X``, ``Steps.Train.ModelArtifacts…``."""
    match value:
        case {"Get": str(path), **rest} if not rest:
            yield path
        case Mapping():
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


def step_of(path: str) -> str | None:
    """The step that a path reads from."""
    parts = path.split(".", 2)
    return parts[1].split("[", 1)[0] if parts[0] == "Steps" and len(parts) > 1 else None


def words(value: Any) -> str:
    """An expression as a reader would write it down."""
    match value:
        case {"Get": str(path)}:
            return path.removeprefix("Parameters.").removeprefix("Steps.")
        case {"Std:Join": {"On": separator, "Values": list(values)}}:
            return str(separator).join(words(inner) for inner in values)
        case {"Std:JsonGet": {"Path": str(path)}}:
            return f"{_source(value['Std:JsonGet'])} → {path}"
        case str():
            return value
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(words(inner) for inner in value)
        case _:
            return str(value)


def _source(json_get: Mapping[str, Any]) -> str:
    if "S3Uri" in json_get:
        return words(json_get["S3Uri"])
    path = words(json_get.get("PropertyFile"))
    return path.replace(".PropertyFiles.", " ")


def resolve(value: Any, look: Look) -> Any:
    """The value of an expression.

    Raises:
        KeyError: something it refers to is not known.
    """
    match value:
        case {"Std:Join": {"On": separator, "Values": list(values)}}:
            return str(separator).join(str(resolve(inner, look)) for inner in values)
        case Mapping():
            return look(value)
        case list():
            return [resolve(inner, look) for inner in value]
        case _:
            return value


def walk(document: Any, path: str) -> Any:
    """What a path like ``a.b[0]['key']`` leads to; a key on a list selects the item of that name, as the service does.

    Raises:
        KeyError: it leads nowhere.
    """
    for dotted, number, quoted in _PART.findall(path):
        document = _member(document, int(number) if number else dotted or quoted)
    return document


_PART = re.compile(r"""([^.\[\]'"]+)(?![^\[]*\])|\[(\d+)\]|\[['"](.*?)['"]\]""")
_NAMES = ("OutputName", "InputName", "ChannelName", "MetricName", "Name")


def _member(document: Any, key: str | int) -> Any:
    match document, key:
        case (dict(), str()) if key in document:
            return document[key]
        case (list(), int()) if key < len(document):
            return document[key]
        case (list(), str()):
            for item in document:
                if isinstance(item, dict) and any(item.get(name) == key for name in _NAMES):
                    return item
    raise KeyError(key)
