"""AWS's errors as each protocol writes them."""

from __future__ import annotations

from emulator.aws.errors import AwsError, QueryCompatibleError
from emulator.aws.xml import DECLARATION, element
from emulator.gateway import cbor, cbor_protocol
from emulator.gateway.json_protocol import dump_document
from emulator.gateway.wire import WireResponse

_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}


def render(error: AwsError, protocol: str, service: str, request_id: str) -> WireResponse:
    """The answer that tells a client of ``service`` in ``protocol`` about an error."""
    write = _WRITERS.get(protocol, _json)
    response = write(error, service, request_id)
    response.headers |= error.headers
    return response


def _json(error: AwsError, service: str, request_id: str) -> WireResponse:
    document = {"__type": error.code, "message": error.message, **error.extra}
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}
    return WireResponse(error.status, dump_document(document), headers)


def _query(error: AwsError, service: str, request_id: str) -> WireResponse:
    kind = "Sender" if error.status < 500 else "Receiver"
    namespace = f' xmlns="{_NAMESPACES[service]}"' if service in _NAMESPACES else ""
    code = error.legacy if isinstance(error, QueryCompatibleError) else error.code
    fields = {"Type": kind, "Code": code, "Message": error.message} | error.extra
    body = (
        f"<ErrorResponse{namespace}><Error>{''.join(element(*pair) for pair in fields.items())}</Error>"
        f"{element('RequestId', request_id)}</ErrorResponse>"
    )
    return WireResponse(error.status, body.encode(), {"Content-Type": "text/xml"})


def _s3(error: AwsError, service: str, request_id: str) -> WireResponse:
    fields = {"Code": error.code, "Message": error.message} | error.extra | {"RequestId": request_id}
    body = f"{DECLARATION}<Error>{''.join(element(*pair) for pair in fields.items())}</Error>"
    return WireResponse(error.status, body.encode(), {"Content-Type": "application/xml"})


def _cbor(error: AwsError, service: str, request_id: str) -> WireResponse:
    document = {"__type": error.code, "message": error.message, **error.extra}
    return WireResponse(error.status, cbor.encode(document), dict(cbor_protocol.HEADERS))


_WRITERS = {"query": _query, "s3": _s3, "smithy-rpc-v2-cbor": _cbor}
