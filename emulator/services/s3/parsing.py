"""A request's members, read from path, query string, headers and XML body by botocore's S3 model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias
from xml.etree import ElementTree

from emulator.aws.service_models import operation_model
from emulator.services.s3 import texts
from emulator.services.s3.errors import malformed_xml

Shape: TypeAlias = Any
"""botocore's Shape, whose attributes depend on its type."""

_VERBATIM = {"Expires"}
"""Members that S3 keeps and gives back as they came, whatever their type."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A member in a header or query parameter."""

    member: str
    kind: str

    def read(self, text: str) -> Any:
        if self.member in _VERBATIM:
            return text
        if self.kind == "list":
            return [item.strip() for item in text.split(",")]
        return texts.read(self.kind, text, self.member)


@dataclass(frozen=True, slots=True)
class Bindings:
    """Where one operation's members are; header names are lower-case."""

    headers: Mapping[str, Binding]
    query: Mapping[str, Binding]
    prefixed: tuple[str, str] | None
    payload: str
    payload_shape: Shape | None
    payload_required: bool


def parse_members(operation: str, query: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
    """The members outside path and body.

    Raises:
        AwsError: InvalidArgument.
    """
    bindings = bindings_of(operation)
    members = {
        found.member: found.read(text) for name, text in headers.items() if (found := bindings.headers.get(name))
    }
    members |= {found.member: found.read(text) for name, text in query.items() if (found := bindings.query.get(name))}
    if bindings.prefixed:
        member, prefix = bindings.prefixed
        members[member] = {name[len(prefix) :]: text for name, text in headers.items() if name.startswith(prefix)}
    return members


def parse_payload(operation: str, body: bytes) -> dict[str, Any]:
    """The member in an XML body, by name, or the text itself (a policy); nothing if the body is empty.

    Raises:
        AwsError: MalformedXML.
    """
    bindings = bindings_of(operation)
    if not body or bindings.payload_shape is None:
        return {}
    if bindings.payload_shape.type_name == "string":
        return {bindings.payload: body.decode("utf-8", "replace")}
    if re.search(rb"<!(DOCTYPE|ENTITY)", body):
        raise malformed_xml()
    try:
        return {bindings.payload: _value(bindings.payload_shape, ElementTree.fromstring(body))}
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise malformed_xml() from error


def is_stream(operation: str) -> bool:
    """Whether the request's body is data, not a document."""
    shape = bindings_of(operation).payload_shape
    return shape is not None and shape.type_name == "blob"


@cache
def bindings_of(operation: str) -> Bindings:
    shape = operation_model("s3", operation).input_shape
    members = shape.members.items() if shape else ()
    headers, query, prefixed = {}, {}, None
    for name, member in members:
        wire = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "header":
                headers[wire.lower()] = Binding(name, member.type_name)
            case "querystring":
                query[wire] = Binding(name, member.type_name)
            case "headers":
                prefixed = (name, wire.lower())
    payload = shape.serialization.get("payload", "") if shape else ""
    if shape is None or not payload:
        return Bindings(headers, query, prefixed, "", None, False)
    return Bindings(headers, query, prefixed, payload, shape.members[payload], payload in shape.required_members)


def _value(shape: Shape, node: ElementTree.Element) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(shape, node)
        case "list":
            return [_value(shape.member, child) for child in node]
        case kind:
            return texts.read(kind, node.text or "", shape.name)


def _structure(shape: Shape, node: ElementTree.Element) -> dict[str, Any]:
    children: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        children.setdefault(child.tag.rpartition("}")[2], []).append(child)
    found = {}
    for name, member in shape.members.items():
        nodes = children.get(member.serialization.get("name", name), [])
        if nodes and member.serialization.get("flattened"):
            found[name] = [_value(member.member, child) for child in nodes]
        elif nodes:
            found[name] = _value(member, nodes[0])
    missing = [name for name in shape.required_members if name not in found]
    if missing:
        raise LookupError(missing)
    return found
