"""One operation, ready to run: everything that its model says, compiled once to a few functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from emulator.aws import service_models
from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.aws.operations import Operation, find
from emulator.gateway import cbor, cbor_protocol, json_protocol, models, query_protocol, rest, sqs_query, xml_protocol
from emulator.gateway.constraints import Check, ConstraintCompiler, error_code, validation_error
from emulator.gateway.json_writers import JsonWriters
from emulator.gateway.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    from botocore.model import OperationModel

Members = dict[str, Any]
Codec = tuple[Callable[[WireRequest], Members], Callable[[Mapping[str, Any], str], WireResponse]]


class UnknownOperation(AwsError):
    """AWS has no such operation either."""

    code = "UnknownOperationException"


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """``read`` takes the members from a request, ``check`` holds them against the constraints (and raises), ``write``
    makes the answer of a response and a request id. ``accept`` and ``answer`` do the first and last for calls from
    inside, on documents instead of bytes."""

    operation: Operation
    read: Callable[[WireRequest], Members]
    check: Callable[[Members], None]
    write: Callable[[Mapping[str, Any], str], WireResponse]
    accept: Callable[[Any], Members]
    answer: Callable[[Any], Members]


@dataclass(frozen=True, slots=True)
class _Compilers:
    """The compilers of one service; they share what its operations' shapes share."""

    constraints: ConstraintCompiler
    json_readers: json_protocol.JsonReaders
    json_writers: JsonWriters
    cbor_readers: cbor_protocol.CborReaders
    cbor_writers: cbor_protocol.CborWriters
    query_readers: query_protocol.QueryReaders
    xml_writers: xml_protocol.XmlWriters


@cache
def _compilers(service: str) -> _Compilers:
    return _Compilers(
        ConstraintCompiler(),
        json_protocol.JsonReaders(),
        JsonWriters(),
        cbor_protocol.CborReaders(),
        cbor_protocol.CborWriters(),
        query_protocol.QueryReaders(),
        xml_protocol.XmlWriters(),
    )


@cache
def compiled(service: str, name: str, protocol: str) -> CompiledOperation:
    """The operation ``name`` of a service for requests in ``protocol``.

    Raises:
        UnknownOperation: AWS has no such operation.
        NotImplementedHere: AWS has it, the emulator does not.
    """
    model = models.operation_model(service, name)
    if model is None:
        raise _unknown(service, name, protocol)
    operation = find(service, name)
    if operation is None:
        raise NotImplementedHere(
            f"{service}:{name} is an operation of AWS that this emulator does not have yet. "
            "docs/parity.md lists the operations it has."
        )
    read, write = codec(model, protocol)
    accept, answer = _inside(model, _compilers(service))
    check = _check(model, _compilers(service)) if operation.checked else _unchecked
    return CompiledOperation(operation, read, check, write, accept, answer)


def codec(model: OperationModel, protocol: str) -> Codec:
    """How an operation is read from requests and written to answers in a protocol."""
    return _PROTOCOLS[protocol](model, _compilers(model.service_model.service_name))


def _unknown(service: str, name: str, protocol: str) -> UnknownOperation:
    if protocol != "query":
        return UnknownOperation(f"{service} has no operation {name[:200]!r}")
    version = service_models.service_model(service).api_version if service in models.known_services() else ""
    return UnknownOperation(f"Could not find operation {name[:200]} for version {version}", code="InvalidAction")


def _check(model: OperationModel, compilers: _Compilers) -> Callable[[Members], None]:
    shape = models.input_of(model)
    check: Check | None = compilers.constraints.compile(shape) if shape else None
    code = error_code(model.service_model.service_name, [shape.name for shape in model.error_shapes])

    def raise_problems(members: Members) -> None:
        if check is not None and (problems := check(members)):
            raise validation_error(code, problems)

    return raise_problems


def _unchecked(members: Members) -> None:
    """The operation checks them itself."""


def _inside(model: OperationModel, compilers: _Compilers) -> tuple[Callable[[Any], Members], Callable[[Any], Members]]:
    """Documents to members and back; what a REST request has in its path and headers is among the rest here."""
    shape, output = models.input_of(model), models.output_of(model)
    read = compilers.json_readers.compile(shape) if shape else None
    write = compilers.json_writers.compile(output) if output else None
    placed, answered = _placed(shape), _placed(output)

    def accept(document: Any) -> Members:
        members = read(document) if read else {}
        return members | {name: document[name] for name in placed if document.get(name) is not None}

    def answer(response: Any) -> Members:
        document = write(response) if write else {}
        return document | {name: response[name] for name in answered if response.get(name) is not None}

    return (accept if placed else read or _nothing), (answer if answered else write or _nothing)


def _placed(shape: models.Shape | None) -> list[str]:
    return [name for name, member in shape.members.items() if "location" in member.serialization] if shape else []


def _nothing(document: Any) -> Members:
    return {}


def _json(model: OperationModel, compilers: _Compilers) -> Codec:
    accept, answer = _inside(model, compilers)
    has_input, has_output = model.input_shape is not None, model.output_shape is not None
    version = model.service_model.metadata.get("jsonVersion", "1.1")
    headers = {"Content-Type": f"application/x-amz-json-{version}"}

    def read(request: WireRequest) -> Members:
        return accept(json_protocol.parse_document(request.body)) if has_input else {}

    def write(response: Mapping[str, Any], request_id: str) -> WireResponse:
        body = json_protocol.dump_document(answer(response)) if has_output else b""
        return WireResponse(200, body, dict(headers))

    return read, write


def _cbor(model: OperationModel, compilers: _Compilers) -> Codec:
    shape, output = models.input_of(model), models.output_of(model)
    reader = compilers.cbor_readers.compile(shape) if shape else None
    writer = compilers.cbor_writers.compile(output) if output else None

    def read(request: WireRequest) -> Members:
        return reader(cbor_protocol.parse_document(request.body)) if reader else {}

    def write(response: Mapping[str, Any], request_id: str) -> WireResponse:
        body = cbor.encode(writer(response)) if writer else b""
        return WireResponse(200, body, dict(cbor_protocol.HEADERS))

    return read, write


def _query(model: OperationModel, compilers: _Compilers) -> Codec:
    shape, output = models.input_of(model), models.output_of(model)
    reader = compilers.query_readers.compile(shape) if shape else None
    writer = compilers.xml_writers.compile(output) if output else None
    wrapper = models.output_metadata(model.service_model.service_name, model.name).get("resultWrapper")
    wrapper = wrapper or f"{model.name}Result"
    namespace = model.service_model.metadata.get("xmlNamespace", "")
    sqs = model.service_model.service_name == "sqs"

    def read(request: WireRequest) -> Members:
        fields = query_protocol.parse_form(request.query)
        fields |= query_protocol.parse_form(request.body.decode("utf-8", "replace"))
        if sqs:
            fields = {sqs_query.field_name(name, model.name): text for name, text in fields.items()}
        return reader(query_protocol.field_tree(fields)) if reader else {}

    def write(response: Mapping[str, Any], request_id: str) -> WireResponse:
        out = [f'<{model.name}Response xmlns="{namespace}">']
        if writer:
            writer(wrapper, response, out)
        out.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{model.name}Response>")
        document = "".join(out)
        text = sqs_query.element_names(document, model.name) if sqs else document
        return WireResponse(200, text.encode(), {"Content-Type": "text/xml"})

    return read, write


def _rest_json(model: OperationModel, compilers: _Compilers) -> Codec:
    shape, output = models.input_of(model), models.output_of(model)
    payload, answer_payload = _structure_payload(shape), _structure_payload(output)
    accept = compilers.json_readers.compile(shape.members[payload] if payload else shape) if shape else None
    body_shape = output.members[answer_payload] if output and answer_payload else output
    answer = compilers.json_writers.compile(body_shape) if body_shape else None

    def read_body(body: bytes) -> Members:
        members = accept(json_protocol.parse_document(body)) if accept else {}
        return {payload: members} if payload else members

    def write_body(response: Mapping[str, Any]) -> bytes:
        document = response.get(answer_payload, {}) if answer_payload else response
        return json_protocol.dump_document(answer(document) if answer else document)

    write = rest.compile_response(model, write_body)
    return rest.compile_request(model, read_body), lambda response, request_id: write(response)


def _structure_payload(shape: Any) -> str | None:
    payload = shape.serialization.get("payload") if shape else None
    return str(payload) if payload and shape.members[payload].type_name == "structure" else None


_PROTOCOLS: dict[str, Callable[[OperationModel, _Compilers], Codec]] = {
    "json": _json,
    "query": _query,
    "rest-json": _rest_json,
    "smithy-rpc-v2-cbor": _cbor,
}
