"""The ``query`` protocol: input members as form fields, ``ActionNames.member.1=sagemaker:CreateModel``."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from emulator.gateway import texts
from emulator.gateway.models import Shape, element_name, wire_name
from emulator.gateway.shapes import ShapeCompiler
from emulator.gateway.texts import MalformedInput

Node: TypeAlias = "dict[str, Node | str]"
"""Fields by their dotted parts; a field's own text is under the empty name."""
Read: TypeAlias = Callable[[Node], Any]

_DEEPEST = 32


def parse_form(body: str) -> dict[str, str]:
    """The fields of a form or query string; the last of equal names wins.

    Raises:
        MalformedInput: there are more fields than any operation has.
    """
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=10_000))
    except ValueError as error:
        raise MalformedInput(f"The form of the request cannot be read: {error}") from error


def field_tree(fields: dict[str, str]) -> Node:
    tree: Node = {}
    for name, text in fields.items():
        parts = name.split(".")
        if "" in parts:
            continue  # no member is called so
        if len(parts) > _DEEPEST:
            raise MalformedInput(f"The field {name[:200]} is nested too deeply")
        node = tree
        for part in parts:
            child = node.setdefault(part, {})
            assert isinstance(child, dict)
            node = child
        node[""] = text
    return tree


class QueryReaders(ShapeCompiler[Read]):
    """Compiled readers of one service's input shapes."""

    def _key(self, shape: Shape) -> Hashable:
        return shape.name, bool(shape.serialization.get("flattened"))

    def _structure(self, shape: Shape) -> Read:
        members = {element_name(member, name): (name, self.compile(member)) for name, member in shape.members.items()}

        def read_structure(node: Node) -> dict[str, Any]:
            return {
                members[part][0]: members[part][1](child)
                for part, child in node.items()
                if part in members and isinstance(child, dict)
            }

        return read_structure

    def _list(self, shape: Shape) -> Read:
        flattened = bool(shape.serialization.get("flattened"))
        element = wire_name(shape.member, "member")
        member = self.compile(shape.member)

        def read_list(node: Node) -> list[Any]:
            return [member(item) for item in _numbered(node if flattened else node.get(element))]

        return read_list

    def _map(self, shape: Shape) -> Read:
        flattened = bool(shape.serialization.get("flattened"))
        key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        key, value = self.compile(shape.key), self.compile(shape.value)

        def read_map(node: Node) -> dict[str, Any]:
            entries = _numbered(node if flattened else node.get("entry"))
            return {key(_child(entry, key_name)): value(_child(entry, value_name)) for entry in entries}

        return read_map

    def _scalar(self, shape: Shape) -> Read:
        convert = texts.reader(shape.type_name)

        def read_scalar(node: Node) -> Any:
            text = node.get("", "")
            assert isinstance(text, str)
            return convert(text)

        return read_scalar


def _child(node: Node, name: str) -> Node:
    child = node.get(name, {})
    assert isinstance(child, dict)
    return child


def _numbered(node: Node | str | None) -> list[Node]:
    """The children named 1, 2, 3, … in the order of their numbers."""
    if not isinstance(node, dict):
        return []
    found = [(int(part), child) for part, child in node.items() if part.isdecimal() and len(part) < 10]
    return [child for _, child in sorted(found, key=lambda pair: pair[0]) if isinstance(child, dict)]
