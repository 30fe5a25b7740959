"""The XML documents in which the ``query`` protocol answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

from emulator.aws.xml import element
from emulator.gateway import texts
from emulator.gateway.models import Shape, element_name, wire_name
from emulator.gateway.shapes import ShapeCompiler

Write: TypeAlias = Callable[[str, Any, list[str]], None]
"""Writes ``<name>value</name>`` to a list of text pieces."""


class XmlWriters(ShapeCompiler[Write]):
    """Compiled writers of one service's shapes."""

    def _key(self, shape: Shape) -> Hashable:
        return shape.name, repr(sorted(shape.serialization.items(), key=lambda item: item[0]))

    def _structure(self, shape: Shape) -> Write:
        members = [(name, element_name(member, name), self.compile(member)) for name, member in shape.members.items()]

        def write_structure(name: str, value: Any, out: list[str]) -> None:
            out.append(f"<{name}>")
            for key, wire, write in members:
                if (item := value.get(key)) is not None:
                    write(wire, item, out)
            out.append(f"</{name}>")

        return write_structure

    def _list(self, shape: Shape) -> Write:
        member = self.compile(shape.member)
        flattened = bool(shape.serialization.get("flattened"))
        item_name = wire_name(shape.member, "member")

        def write_list(name: str, value: Any, out: list[str]) -> None:
            if flattened:
                for item in value:
                    member(name, item, out)
                return
            out.append(f"<{name}>")
            for item in value:
                member(item_name, item, out)
            out.append(f"</{name}>")

        return write_list

    def _map(self, shape: Shape) -> Write:
        key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        write = self.compile(shape.value)
        flattened = bool(shape.serialization.get("flattened"))

        def write_map(name: str, value: Any, out: list[str]) -> None:
            entry = name if flattened else "entry"
            out.append("" if flattened else f"<{name}>")
            for key, item in value.items():
                out.append(f"<{entry}>{element(key_name, str(key))}")
                write(value_name, item, out)
                out.append(f"</{entry}>")
            out.append("" if flattened else f"</{name}>")

        return write_map

    def _scalar(self, shape: Shape) -> Write:
        kind, style = shape.type_name, shape.serialization.get("timestampFormat", "iso8601")
        return lambda name, value, out: out.append(element(name, texts.render(value, kind, style)))
