"""XML documents: the answers of the ``query`` protocol, and both directions of ``rest-xml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias
from xml.etree import ElementTree

from emulator.aws.errors import AwsError
from emulator.gateway import texts
from emulator.gateway.models import Shape, wire_name
from emulator.gateway.shapes import ShapeCompiler

Write: TypeAlias = Callable[[str, Any, list[str]], None]
"""Writes ``<name>value</name>`` to a list of text pieces."""
Read: TypeAlias = Callable[[ElementTree.Element], Any]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_ESCAPES |= {code: "\ufffd" for code in (*range(0x20), 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"}
_ATTRIBUTE_ESCAPES = _ESCAPES | {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


class MalformedXML(AwsError):
    code = "MalformedXML"


def escape(text: str) -> str:
    """Text for between tags; characters that XML cannot carry become U+FFFD."""
    return text.translate(_ESCAPES)


def element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


class XmlWriters(ShapeCompiler[Write]):
    """Compiled writers of one service's shapes."""

    def _key(self, shape: Shape) -> Hashable:
        return shape.name, repr(sorted(shape.serialization.items(), key=lambda item: item[0]))

    def _compile(self, shape: Shape) -> Write:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case kind:
                style = shape.serialization.get("timestampFormat", "iso8601")
                return lambda name, value, out: out.append(element(name, texts.render(value, kind, style)))

    def _structure(self, shape: Shape) -> Write:
        members, attributes = [], []
        for name, member in shape.members.items():
            if member.serialization.get("xmlAttribute"):
                attributes.append((name, wire_name(member, name)))
            elif "location" not in member.serialization:
                members.append((name, _element_name(member, name), self.compile(member)))
        namespace = _namespace(shape.serialization.get("xmlNamespace"))

        def write_structure(name: str, value: Any, out: list[str]) -> None:
            written = "".join(
                f' {wire}="{str(value[key]).translate(_ATTRIBUTE_ESCAPES)}"' for key, wire in attributes if key in value
            )
            out.append(f"<{name}{namespace}{written}>")
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


def _element_name(member: Shape, name: str) -> str:
    if member.type_name == "list" and member.serialization.get("flattened"):
        return wire_name(member.member, wire_name(member, name))
    return wire_name(member, name)


def _namespace(namespace: Any) -> str:
    if not namespace:
        return ""
    prefix = f":{namespace['prefix']}" if "prefix" in namespace else ""
    return f' xmlns{prefix}="{namespace["uri"]}"'


def parse_document(body: bytes) -> ElementTree.Element:
    """The root of a document without declarations of its own (they could make it explode).

    Raises:
        MalformedXML: it is not well-formed, or declares entities.
    """
    if re.search(rb"<!(DOCTYPE|ENTITY)", body):
        raise MalformedXML("The XML of the request declares a document type, which is not accepted")
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MalformedXML(f"The XML you provided was not well-formed: {error}") from error


class XmlReaders(ShapeCompiler[Read]):
    """Compiled readers of one service's input shapes."""

    def _key(self, shape: Shape) -> Hashable:
        return shape.name, bool(shape.serialization.get("flattened"))

    def _compile(self, shape: Shape) -> Read:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                member = self.compile(shape.member)
                return lambda node: [member(child) for child in node]
            case "map":
                return self._map(shape)
            case kind:
                convert = texts.reader(kind)
                return lambda node: convert(node.text or "")

    def _structure(self, shape: Shape) -> Read:
        members = [
            (name, _element_name(member, name), bool(member.serialization.get("flattened")), self.compile(member))
            for name, member in shape.members.items()
            if "location" not in member.serialization
        ]

        def read_structure(node: ElementTree.Element) -> dict[str, Any]:
            children: dict[str, list[ElementTree.Element]] = {}
            for child in node:
                children.setdefault(_local_name(child), []).append(child)
            return {
                name: read(_wrap(children[wire]) if flattened else children[wire][0])
                for name, wire, flattened, read in members
                if wire in children
            }

        return read_structure

    def _map(self, shape: Shape) -> Read:
        key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        key, value = self.compile(shape.key), self.compile(shape.value)

        def read_map(node: ElementTree.Element) -> dict[str, Any]:
            entries = [{_local_name(part): part for part in entry} for entry in node]
            return {
                key(entry[key_name]): value(entry[value_name])
                for entry in entries
                if key_name in entry and value_name in entry
            }

        return read_map


def _wrap(children: list[ElementTree.Element]) -> ElementTree.Element:
    parent = ElementTree.Element("list")
    parent.extend(children)
    return parent


def _local_name(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]
