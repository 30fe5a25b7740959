"""Scalars that travel as text: in form fields, XML elements, headers, URIs and query strings."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeAlias

from emulator.aws.errors import AwsError
from emulator.gateway import timestamps

FromText: TypeAlias = Callable[[str], Any]


class MalformedInput(AwsError):
    """A text is not a value of the member's type."""

    code = "MalformedInput"


def reader(kind: str) -> FromText:
    """The function that reads a scalar of a botocore type from text; it raises MalformedInput."""
    convert = _READERS.get(kind, _string)

    def read(text: str) -> Any:
        try:
            return convert(text)
        except (ValueError, binascii.Error) as error:
            raise MalformedInput(f"{text[:200]!r} can not be converted to a {kind.capitalize()}") from error

    return read


def render(value: Any, kind: str, timestamp_format: str) -> str:
    """The text of a scalar of a botocore type."""
    match kind:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return timestamps.render(value, timestamp_format)
        case "blob":
            return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
        case _:
            return str(value)


def _string(text: str) -> str:
    text.encode()
    return text


def _boolean(text: str) -> bool:
    values = {"true": True, "false": False}
    if text.lower() not in values:
        raise ValueError(text)
    return values[text.lower()]


def _integer(text: str) -> int:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


_READERS: dict[str, FromText] = {
    "integer": _integer,
    "long": _integer,
    "float": float,
    "double": float,
    "boolean": _boolean,
    "timestamp": timestamps.parse,
    "blob": lambda text: base64.b64decode(text, validate=True),
}
