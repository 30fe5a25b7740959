"""Expressions of a pipeline definition: what they refer to, what they say in words, and their value where it is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Look = Callable[[str], Any]
"""Gives the value of a reference like ``Parameters.MinAuc``; raises KeyError where it is not known."""


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
        case {"Std:JsonGet": {"Path": str(path), **rest}}:
            return f"{_source(rest)} → {path}"
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
        case {"Get": str(path)}:
            return look(path)
        case {"Std:Join": {"On": separator, "Values": list(values)}}:
            return str(separator).join(str(resolve(inner, look)) for inner in values)
        case {"Std:JsonGet": _}:
            return look(words(value))
        case Mapping():
            raise KeyError(words(value))
        case _:
            return value
