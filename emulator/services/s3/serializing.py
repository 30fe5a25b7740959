"""A response's members as status, headers and XML, by botocore's S3 model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.header import Header
from functools import cache
from typing import Any, TypeAlias

from emulator.aws.service_models import operation_model
from emulator.aws.xml import DECLARATION
from emulator.services.s3 import texts
from emulator.services.s3.streams import BlobStream

Shape: TypeAlias = Any
"""botocore's Shape, whose attributes depend on its type."""
Write: TypeAlias = Callable[[Any, list[str]], None]

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""The root elements of S3's documents (Amazon S3 API Reference, "Response Syntax"), which the model leaves out."""

_UNWRAPPED = {"GetBucketLocation": "LocationConstraint"}
"""Documents whose only member is the root itself."""


@dataclass(frozen=True, slots=True)
class WireResponse:
    status: int
    headers: dict[str, str]
    body: bytes | BlobStream = b""


def serialize(operation: str, response: Mapping[str, Any]) -> WireResponse:
    """A handler's response on the wire. ``ResponseMetadata.HTTPStatusCode`` in it overrides the usual status."""
    model = operation_model("s3", operation)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode") or model.http.get("responseCode") or 200
    shape = model.output_shape
    if shape is None:
        return WireResponse(status, {})
    headers = _headers(shape, response)
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name in ("blob", "string"):
        body = response.get(payload, b"")
        return WireResponse(status, headers, body.encode() if isinstance(body, str) else body)
    document = _document(operation, shape, payload, response)
    if document:
        headers["Content-Type"] = "application/xml"
    return WireResponse(status, headers, document)


def _headers(shape: Shape, response: Mapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, wire, kind in _header_members(shape):
        value = response.get(name)
        if value is None:
            continue
        if kind == "map":
            headers |= {f"{wire}{key}": _ascii(text) for key, text in value.items()}
        else:
            headers[wire] = _ascii(texts.header(kind, value))
    return headers


@cache
def _header_members(shape: Shape) -> list[tuple[str, str, str]]:
    return [
        (name, member.serialization.get("name", name), member.type_name)
        for name, member in shape.members.items()
        if member.serialization.get("location") in ("header", "headers")
    ]


def _ascii(text: str) -> str:
    """Text for a header; what Latin-1 cannot carry goes as RFC 2047 says, as S3 does with metadata."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return Header(text, "utf-8", maxlinelen=0).encode()
    return text


def _document(operation: str, shape: Shape, payload: str | None, response: Mapping[str, Any]) -> bytes:
    if payload:
        root, members = shape.members[payload].serialization.get("name", payload), response.get(payload)
        shape = shape.members[payload]
    else:
        root, members = _ROOTS.get(operation, f"{operation}Result"), response
        if not _element_members(shape):
            return b""
    if members is None:
        return b""
    if operation in _UNWRAPPED:
        root = _UNWRAPPED[operation]
        shape, members = shape.members[root], members[root]
    out = [f'{DECLARATION}<{root} xmlns="{_NAMESPACE}">']
    _writer(shape)(members, out)
    out.append(f"</{root}>")
    return "".join(out).encode()


@cache
def _element_members(shape: Shape) -> list[tuple[str, str, Shape]]:
    return [
        (name, member.serialization.get("name", name), member)
        for name, member in shape.members.items()
        if "location" not in member.serialization and not member.serialization.get("xmlAttribute")
    ]


@cache
def _writer(shape: Shape) -> Write:
    """Writes what is inside the element of a shape; compiled once, since listings have thousands."""
    match shape.type_name:
        case "structure":
            return _structure_writer(shape)
        case "list":
            return _list_writer(shape.member.serialization.get("name", "member"), shape.member)
        case kind:
            return lambda value, out: out.append(texts.element(kind, value))


def _structure_writer(shape: Shape) -> Write:
    members = [(name, wire, _member_writer(wire, member)) for name, wire, member in _element_members(shape)]
    attributes = {name for name, member in shape.members.items() if member.serialization.get("xmlAttribute")}
    assert attributes <= {"Type"}, "only a Grantee's xsi:type is known; its parent writes it"

    def write(value: Mapping[str, Any], out: list[str]) -> None:
        for name, _, member in members:
            item = value.get(name)
            if item is not None:
                member(item, out)

    return write


def _member_writer(wire: str, shape: Shape) -> Write:
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        return _list_writer(wire, shape.member)
    inner = _writer(shape)
    typed = shape.type_name == "structure" and "Type" in shape.members

    def write(value: Any, out: list[str]) -> None:
        attribute = (
            f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{value["Type"]}"'
            if typed and shape.members["Type"].serialization.get("xmlAttribute")
            else ""
        )
        out.append(f"<{wire}{attribute}>")
        inner(value, out)
        out.append(f"</{wire}>")

    return write


def _list_writer(wire: str, shape: Shape) -> Write:
    inner = _writer(shape)

    def write(values: list[Any], out: list[str]) -> None:
        for value in values:
            out.append(f"<{wire}>")
            inner(value, out)
            out.append(f"</{wire}>")

    return write
