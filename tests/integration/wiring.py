"""Putting any document on the wire of any protocol, however wrong the document is: botocore itself would refuse."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from tests.integration.fuzz import dump, form

if TYPE_CHECKING:
    from botocore.model import OperationModel

_LABEL = re.compile(r"\{(\w+)(\+?)\}")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Sent:
    method: str
    path: bytes
    query: bytes
    headers: Mapping[str, str]
    body: bytes


def put_on_wire(operation: OperationModel, document: dict[str, Any]) -> Sent:
    """A request for an operation whose members are those of the document."""
    metadata = operation.service_model.metadata
    signer = metadata.get("signingName", metadata["endpointPrefix"])
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{signer}/aws4_request"}
    match metadata["protocol"]:
        case "json":
            target = f"{metadata['targetPrefix']}.{operation.name}"
            headers = {"x-amz-target": target, "content-type": f"application/x-amz-json-{metadata['jsonVersion']}"}
            return Sent("POST", b"/", b"", headers | signed, dump(document))
        case "query":
            fields = [("Action", operation.name), ("Version", metadata["apiVersion"]), *form(document)]
            headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
            return Sent("POST", b"/", b"", headers | signed, urlencode(fields).encode())
        case protocol:
            return _rest(operation, document, signed, xml=protocol == "rest-xml")


def _rest(operation: OperationModel, document: dict[str, Any], headers: dict[str, str], *, xml: bool) -> Sent:
    shape = operation.input_shape
    members: Any = shape.members if shape else {}
    query: list[tuple[str, str]] = []
    body: dict[str, Any] = {}
    labels: dict[str, str] = {}
    for name, value in document.items():
        serialization = members[name].serialization if name in members else {}
        wire = serialization.get("name", name)
        match serialization.get("location"):
            case "uri":
                labels[wire] = _text(value)
            case "querystring":
                query += [(wire, _text(item)) for item in (value if isinstance(value, list) else [value])]
            case "header":
                headers[wire] = _header(value)
            case "headers":
                pairs = value.items() if isinstance(value, dict) else [("x", value)]
                headers |= {_header(f"{wire}{key}"): _header(item) for key, item in pairs}
            case _:
                body[name] = value
    uri, _, fixed = operation.http["requestUri"].partition("?")
    path = _LABEL.sub(lambda found: quote(labels.get(found[1], ""), safe="/" if found[2] else ""), uri)
    joined = "&".join(part for part in (fixed, urlencode(query)) if part)
    return Sent(operation.http["method"], path.encode(), joined.encode(), headers, _body(shape, body, xml))


def _body(shape: Any, body: dict[str, Any], xml: bool) -> bytes:
    payload = shape.serialization.get("payload") if shape else None
    if payload is not None:
        value = body.get(payload)
        if value is None:
            return b""
        if shape.members[payload].type_name in ("blob", "string"):
            return _blob(value)
        wire = shape.members[payload].serialization.get("name", payload)
        return _xml(wire, value).encode() if xml else dump(value)
    return dump(body) if body and not xml else b""


def _blob(value: Any) -> bytes:
    text = _text(value)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _xml(name: str, value: Any) -> str:
    name = re.sub(r"\W", "", name) or "x"
    if isinstance(value, dict):
        return f"<{name}>{''.join(_xml(key, part) for key, part in value.items())}</{name}>"
    if isinstance(value, list):
        return "".join(_xml(name, part) for part in value[:50])
    return f"<{name}>{escape(_text(value))}</{name}>"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _SURROGATE.sub("?", text)


def _header(value: Any) -> str:
    """What may stand in a header: servers refuse line breaks and zero bytes before the application sees them."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", _text(value)).encode("latin-1", "replace").decode("latin-1")[:8000]
