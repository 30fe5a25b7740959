"""The ``smithy-rpc-v2-cbor`` protocol: JSON's documents in CBOR, in which times and bytes are values of their own."""

from __future__ import annotations

from typing import Any

from emulator.gateway import cbor, timestamps
from emulator.gateway.json_protocol import JsonReaders, Read, SerializationException
from emulator.gateway.json_writers import JsonWriters, Write
from emulator.gateway.models import Shape

HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


def parse_document(body: bytes) -> Any:
    """The document of a body; an operation without input has none.

    Raises:
        SerializationException: it is not CBOR, or nested deeper than the interpreter can follow.
    """
    try:
        return cbor.decode(body) if body else {}
    except (cbor.MalformedCbor, RecursionError) as error:
        raise SerializationException(str(error)) from error


class CborReaders(JsonReaders):
    """Compiled readers of one service's shapes; numbers may be none here, which is for the operation to refuse."""

    def _scalar(self, shape: Shape) -> Read:
        read = super()._scalar(shape)
        if shape.type_name not in ("float", "double"):
            return read
        return lambda value: value if isinstance(value, float) else read(value)


class CborWriters(JsonWriters):
    """Compiled writers of one service's shapes, to documents that ``cbor.encode`` takes."""

    def compile(self, shape: Shape) -> Write | None:
        match shape.type_name:
            case "timestamp":
                return timestamps.moment
            case "blob":
                return _bytes
            case "float" | "double":
                return float
            case _:
                return super().compile(shape)


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
