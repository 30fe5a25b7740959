"""Writing JSON documents of the ``json`` and ``rest-json`` protocols as their shapes say."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeAlias

from emulator.gateway import timestamps
from emulator.gateway.models import Shape, wire_name
from emulator.gateway.shapes import ShapeCompiler

Write: TypeAlias = Callable[[Any], Any]


class JsonWriters(ShapeCompiler["Write | None"]):
    """Compiled writers of one service's shapes: only members of the model are written, and no nulls."""

    def compile(self, shape: Shape) -> Write | None:
        """The writer of a shape; None where a value is written as it is."""
        style = shape.serialization.get("timestampFormat")
        if shape.type_name == "timestamp":
            return timestamps.seconds if style in (None, "unixTimestamp") else _timestamp_writer(style)
        if shape.metadata.get("document") or shape.type_name not in ("structure", "list", "map", "blob"):
            return None
        return super().compile(shape)

    def _later(self, made: Callable[[], Write | None]) -> Write:
        return lambda value: (made() or _as_it_is)(value)

    def _structure(self, shape: Shape) -> Write:
        members = [
            (name, wire_name(member, name), self.compile(member))
            for name, member in shape.members.items()
            if "location" not in member.serialization
        ]

        def write_structure(value: Any) -> dict[str, Any]:
            return {
                wire: item if write is None else write(item)
                for name, wire, write in members
                if (item := value.get(name)) is not None
            }

        return write_structure

    def _list(self, shape: Shape) -> Write | None:
        member = self.compile(shape.member)
        return None if member is None else lambda value: [member(item) for item in value]

    def _map(self, shape: Shape) -> Write | None:
        member = self.compile(shape.value)
        return None if member is None else lambda value: {key: member(item) for key, item in value.items()}

    def _scalar(self, shape: Shape) -> Write | None:
        return _write_blob


def _as_it_is(value: Any) -> Any:
    return value


def _timestamp_writer(style: str) -> Write:
    return lambda value: timestamps.render(value, style)


def _write_blob(value: Any) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
