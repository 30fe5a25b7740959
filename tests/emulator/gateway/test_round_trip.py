"""Our reading of what botocore sends, and botocore's reading of what we answer, for every operation of every protocol.

botocore's own serializers and parsers are the other side of the wire, so the two must agree.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from emulator.aws import service_models
from emulator.gateway.compiled import codec
from emulator.gateway.wire import WireRequest
from tests.emulator.gateway.samples import Samples

SERVICES = [
    ("sagemaker", "json"),
    ("logs", "json"),
    ("events", "json"),
    ("sts", "query"),
    ("iam", "query"),
    ("sns", "query"),
    ("sagemaker-featurestore-runtime", "rest-json"),
    ("sagemaker-metrics", "rest-json"),
    ("scheduler", "rest-json"),
    ("lambda", "rest-json"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
]
UNCOMPARABLE = {
    # Streams of events or bytes, and documents that clients write in a form of their own.
    "lambda": {"Invoke", "InvokeWithResponseStream", "GetDurableExecutionState", "InvokeAsync"},
    "logs": {"StartLiveTail", "GetLogObject"},
}


def operations(service: str) -> list[Any]:
    model = service_models.service_model(service)
    skipped = UNCOMPARABLE.get(service, set())
    return [model.operation_model(name) for name in model.operation_names if name not in skipped]


@pytest.mark.parametrize(("service", "protocol"), SERVICES)
def test_requests_arrive_as_they_were_meant(service: str, protocol: str) -> None:
    serializer = create_serializer(protocol, include_validation=False)
    for number, operation in enumerate(operations(service)):
        if operation.input_shape is None:
            continue
        meant = Samples(number, plain=protocol.startswith("rest")).of(operation.input_shape)
        read, _ = codec(operation, protocol)
        assert _comparable(read(_wire(serializer.serialize_to_request(meant, operation)))) == _comparable(meant), (
            operation.name
        )


@pytest.mark.parametrize(("service", "protocol"), SERVICES)
def test_answers_are_understood(service: str, protocol: str) -> None:
    parser = create_parser(protocol)
    for number, operation in enumerate(operations(service)):
        shape = operation.output_shape
        if shape is None:
            continue
        answer = Samples(number, plain=protocol.startswith("rest")).of(shape)
        answer = {name: value for name, value in answer.items() if not _is_status(shape.members[name])}
        _, write = codec(operation, protocol)
        response = write(answer | {"NotInTheModel": 1}, "id")
        headers = HeadersDict(response.headers)
        understood = parser.parse(
            {"body": response.body, "headers": headers, "status_code": response.status, "context": {}}, shape
        )
        understood.pop("ResponseMetadata", None)
        understood = {name: value for name, value in understood.items() if not _is_status(shape.members[name])}
        assert _comparable(understood) == _comparable(answer), operation.name


def _is_status(member: Any) -> bool:
    return member.serialization.get("location") == "statusCode"


def _wire(request: dict[str, Any]) -> WireRequest:
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    query = request["query_string"]
    return WireRequest(
        method=request["method"],
        path=request["url_path"].partition("?")[0],
        query=urlencode(query, doseq=True) if isinstance(query, dict) else query,
        headers={name.lower(): value for name, value in request["headers"].items()},
        body=body if isinstance(body, bytes) else body.encode(),
    )


def _comparable(value: Any) -> Any:
    """Without what no protocol can carry: empty structures and lists, and members that are None."""
    match value:
        case dict():
            items = {name: _comparable(item) for name, item in value.items()}
            return {name: item for name, item in items.items() if item not in (None, {}, [])}
        case list():
            return [_comparable(item) for item in value]
        case _:
            return value.read() if hasattr(value, "read") else value
