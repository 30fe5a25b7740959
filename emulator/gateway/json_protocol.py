"""Reading JSON documents of the ``json`` and ``rest-json`` protocols as their shapes say.

Reading is strict about types, as AWS's own deserializer is, and speaks its language (``NUMBER_VALUE can not be
converted to a String``); unknown members and nulls are dropped, as there.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn, TypeAlias

from emulator.aws.errors import AwsError
from emulator.gateway import timestamps
from emulator.gateway.models import Shape, wire_name
from emulator.gateway.shapes import ShapeCompiler

Read: TypeAlias = Callable[[Any], Any]


class SerializationException(AwsError):
    """The body of a request is not a document of the operation's input shape."""

    code = "SerializationException"


def parse_document(body: bytes) -> Any:
    """The JSON value of a body.

    Raises:
        SerializationException: it is not JSON, or nested deeper than the interpreter can follow.
    """
    try:
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise SerializationException(f"The body of the request is not valid JSON: {error}") from error


def dump_document(document: Any) -> bytes:
    return _ENCODER.encode(document).encode()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _json_default(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return timestamps.seconds(value)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_json_default)


def _wrong_type(value: Any, wanted: str) -> SerializationException:
    match value:
        case list():
            return SerializationException("Start of list found where not expected")
        case dict():
            return SerializationException("Start of structure or map found where not expected.")
        case bool():
            kind = f"{str(value).upper()}_VALUE"
        case str():
            kind = "STRING_VALUE"
        case _:
            kind = "NUMBER_VALUE"
    article = "an" if wanted[0] in "AEIOU" else "a"
    return SerializationException(f"{kind} can not be converted to {article} {wanted}")


class JsonReaders(ShapeCompiler[Read]):
    """Compiled readers of one service's shapes."""

    def compile(self, shape: Shape) -> Read:
        return _read_any if shape.metadata.get("document") else super().compile(shape)

    def _structure(self, shape: Shape) -> Read:
        members = {
            wire_name(member, name): (name, self.compile(member))
            for name, member in shape.members.items()
            if "location" not in member.serialization
        }

        def read_structure(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _unexpected(value, "Expected null")
            return {
                members[key][0]: members[key][1](item)
                for key, item in value.items()
                if item is not None and key in members
            }

        return read_structure

    def _list(self, shape: Shape) -> Read:
        member = self.compile(shape.member)

        def read_list(value: Any) -> list[Any]:
            if not isinstance(value, list):
                raise _unexpected(value, "Expected list or null")
            return [member(item) for item in value if item is not None]

        return read_list

    def _map(self, shape: Shape) -> Read:
        member = self.compile(shape.value)

        def read_map(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _unexpected(value, "Expected map or null")
            return {_read_string(key): member(item) for key, item in value.items() if item is not None}

        return read_map

    def _scalar(self, shape: Shape) -> Read:
        return _SCALARS[shape.type_name]


def _unexpected(value: Any, otherwise: str) -> SerializationException:
    return _wrong_type(value, "String") if isinstance(value, (list, dict)) else SerializationException(otherwise)


def _read_any(value: Any) -> Any:
    return value


def _read_string(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(value, "String")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SerializationException("A string holds half of a surrogate pair") from error
    return value


def _read_integer(value: Any, wanted: str = "Integer") -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong_type(value, wanted)
    if not -(2**63) <= value < 2**63:
        raise _wrong_type(value, wanted)
    return int(value)


def _read_long(value: Any) -> int:
    return _read_integer(value, "Long")


def _read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong_type(value, "Double")
    number = float(value) if abs(value) < 2**1023 else math.inf
    if not math.isfinite(number):
        raise SerializationException("NUMBER_VALUE can not be converted to a Double")
    return number


def _read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(value, "Boolean")
    return value


def _read_timestamp(value: Any) -> datetime:
    if isinstance(value, datetime):  # a call from inside
        return value
    try:
        return timestamps.parse(value)
    except ValueError as error:
        raise _wrong_type(value, "Timestamp") from error


def _read_blob(value: Any) -> bytes:
    if isinstance(value, bytes):  # a call from inside
        return value
    if not isinstance(value, str):
        raise _wrong_type(value, "Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SerializationException("STRING_VALUE can not be converted to a Blob: it is not base64") from error


_SCALARS: dict[str, Read] = {
    "string": _read_string,
    "character": _read_string,
    "integer": _read_integer,
    "long": _read_long,
    "float": _read_float,
    "double": _read_float,
    "boolean": _read_boolean,
    "timestamp": _read_timestamp,
    "blob": _read_blob,
}
