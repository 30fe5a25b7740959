"""The bindings of ``rest-json``: members in the path, the query string, headers and the body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, unquote

from emulator.gateway import texts
from emulator.gateway.models import Shape, input_of, output_of, wire_name
from emulator.gateway.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    from botocore.model import OperationModel

ReadBody: TypeAlias = Callable[[bytes], dict[str, Any]]
WriteBody: TypeAlias = Callable[[Mapping[str, Any]], bytes]

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's method and path; the query parameters ``fixed`` must be there too."""

    operation: str
    method: str
    path: re.Pattern[str]
    fixed: frozenset[str]
    labels: int

    def match(self, method: str, path: str, query: Mapping[str, list[str]]) -> re.Match[str] | None:
        if method != self.method or not self.fixed <= query.keys():
            return None
        return self.path.fullmatch(path)


def route(operation: OperationModel) -> Route:
    uri, _, query = operation.http["requestUri"].partition("?")
    fixed = frozenset(parse_qs(query, keep_blank_values=True))
    pattern, end = "", 0
    for label in _LABEL.finditer(uri):
        pattern += re.escape(uri[end : label.start()]) + f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"
        end = label.end()
    pattern += re.escape(uri[end:])
    return Route(operation.name, operation.http["method"], re.compile(pattern), fixed, uri.count("{"))


def routes(operations: list[OperationModel]) -> list[Route]:
    """The routes of a service, those with more fixed parts first."""
    return sorted(map(route, operations), key=lambda each: (-len(each.fixed), each.labels))


def compile_request(operation: OperationModel, read_body: ReadBody) -> Callable[[WireRequest], dict[str, Any]]:
    """The reader of a request's members from everywhere they may be."""
    shape = input_of(operation)
    if shape is None:
        return lambda request: {}
    path = route(operation).path
    parts = [
        _part_reader(name, member)
        for name, member in shape.members.items()
        if member.serialization.get("location") in ("uri", "querystring", "header")
    ]
    payload = str(shape.serialization.get("payload", ""))
    raw_kind = shape.members[payload].type_name if payload else ""
    raw = raw_kind in ("blob", "string")

    def read(request: WireRequest) -> dict[str, Any]:
        found = path.fullmatch(request.path)
        places = (found.groupdict() if found else {}, parse_qs(request.query, keep_blank_values=True), request.headers)
        members = {name: value for name, part in parts if (value := part(*places)) is not None}
        if raw:
            members[payload] = request.body.decode("utf-8", "replace") if raw_kind == "string" else request.body
        elif request.body:
            members |= read_body(request.body)
        return members

    return read


PartReader: TypeAlias = Callable[[Mapping[str, str], Mapping[str, list[str]], Mapping[str, str]], Any]


def _part_reader(name: str, member: Shape) -> tuple[str, PartReader]:
    wire, kind = wire_name(member, name), member.type_name
    scalar = texts.reader(member.member.type_name if kind == "list" else kind)
    match member.serialization["location"]:
        case "uri":
            return name, lambda uri, query, headers: scalar(unquote(uri[wire])) if wire in uri else None
        case "header":
            return name, lambda uri, query, headers: scalar(headers[low]) if (low := wire.lower()) in headers else None
        case _ if kind == "list":
            return name, lambda uri, query, headers: list(map(scalar, query[wire])) if wire in query else None
        case _:
            return name, lambda uri, query, headers: scalar(query[wire][0]) if wire in query else None


def compile_response(operation: OperationModel, write_body: WriteBody) -> Callable[[Mapping[str, Any]], WireResponse]:
    """The writer of an answer: status, headers and body from the members of the output."""
    status = int(operation.http.get("responseCode", 200))
    shape = output_of(operation)
    if shape is None:
        return lambda response: WireResponse(status, b"")
    members = list(shape.members.items())
    headers = [(name, member) for name, member in members if member.serialization.get("location") == "header"]
    codes = [name for name, member in members if member.serialization.get("location") == "statusCode"]
    payload = str(shape.serialization.get("payload", ""))
    raw_kind = shape.members[payload].type_name if payload else ""
    raw = raw_kind in ("blob", "string")

    def write(response: Mapping[str, Any]) -> WireResponse:
        found = {
            wire_name(member, name): _header(response[name], member)
            for name, member in headers
            if response.get(name) is not None
        }
        body = _raw_bytes(response.get(payload)) if raw else write_body(response)
        if not raw:
            found.setdefault("Content-Type", "application/json")
        return WireResponse(next((int(response[name]) for name in codes if name in response), status), body, found)

    return write


def _header(value: Any, member: Shape) -> str:
    return texts.render(value, member.type_name, member.serialization.get("timestampFormat", "rfc822"))


def _raw_bytes(value: Any) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else bytes(value)
