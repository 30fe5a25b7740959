"""Which operation a request is: by ``X-Amz-Target``, RPC v2's path, the form's ``Action``, the signed service, a path.

One port serves every service, so the form of a request decides. What nothing else claims is S3's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from emulator.aws import service_models
from emulator.gateway import models, rest
from emulator.gateway.compiled import UnknownOperation
from emulator.gateway.query_protocol import parse_form
from emulator.gateway.wire import WireRequest

if TYPE_CHECKING:
    from emulator.gateway.callers import Caller

TARGET_PREFIXES = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "AWSEvents": "events",
    "AmazonSQS": "sqs",
    "AmazonAthena": "athena",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AnyScaleFrontendService": "application-autoscaling",
    "GraniteServiceVersion20100801": "cloudwatch",
}
"""``targetPrefix`` of the models of the services that the emulator means to serve, so as not to load all 400."""

CBOR = "smithy-rpc-v2-cbor"
_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")

QUERY_VERSIONS = {
    "2011-06-15": "sts",
    "2010-05-08": "iam",
    "2010-03-31": "sns",
    "2012-11-05": "sqs",
    "2010-08-01": "cloudwatch",
}
"""``apiVersion`` of services whose requests may come unsigned (``AssumeRoleWithWebIdentity``)."""

SIGNING_NAMES = {
    "sagemaker": ("sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics"),
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
}
"""The REST services behind a signing name that is not botocore's name of one service."""

S3_NAMES = frozenset({"s3", "s3express", "s3-object-lambda", ""})


@dataclass(frozen=True, slots=True)
class Target:
    service: str
    operation: str
    protocol: str


def is_json(request: WireRequest) -> bool:
    return "x-amz-target" in request.headers


def is_cbor(request: WireRequest) -> bool:
    """Whether a request is one of Smithy's RPC v2: a header says so, and the path names the operation."""
    return request.headers.get("smithy-protocol") == "rpc-v2-cbor"


def is_form(request: WireRequest) -> bool:
    """Whether a request is one of the query protocol; its operation may be in the body, in the path never."""
    if request.path != "/":
        return False
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return (request.method == "POST" and form) or "Action=" in request.query


def is_registry(request: WireRequest, caller: Caller) -> bool:
    """Whether a request is one of the Docker Registry HTTP API, which is not signed; no bucket is called ``v2``."""
    return caller.service == "" and not is_json(request) and (request.path == "/v2" or request.path.startswith("/v2/"))


def is_s3(request: WireRequest, caller: Caller) -> bool:
    if is_json(request) or is_cbor(request) or is_form(request):
        return False
    json_without_target = "amz-json" in request.headers.get("content-type", "")
    return caller.service in S3_NAMES and not json_without_target


def protocol_of(request: WireRequest, caller: Caller) -> str:
    """The protocol to answer in, as far as it can be told before an operation is found."""
    if is_json(request):
        return "json"
    if is_cbor(request):
        return CBOR
    if is_form(request):
        return "query"
    return "s3" if is_s3(request, caller) else "rest-json"


def find_target(request: WireRequest, caller: Caller) -> Target:
    """The operation a request that is not S3's asks for.

    Raises:
        UnknownOperation: there is no such operation, or none is named.
    """
    if is_json(request):
        return _json_target(request.headers["x-amz-target"], caller)
    if is_cbor(request):
        return _cbor_target(request.path)
    if is_form(request):
        return _query_target(request, caller)
    return _rest_target(request, caller)


def _json_target(header: str, caller: Caller) -> Target:
    prefix, dot, operation = header.rpartition(".")
    service = TARGET_PREFIXES.get(prefix) or _signed_service(caller)
    if not dot or not service:
        raise UnknownOperation(f"X-Amz-Target {header[:200]!r} names no operation of a known service")
    return Target(service, operation, "json")


def _cbor_target(path: str) -> Target:
    found = _CBOR_PATH.fullmatch(path)
    service = TARGET_PREFIXES.get(found[1]) if found else None
    if found is None or service is None:
        raise UnknownOperation(f"{path[:200]} names no operation of a known service")
    return Target(service, found[2], CBOR)


def _query_target(request: WireRequest, caller: Caller) -> Target:
    fields = parse_form(request.query) | parse_form(request.body.decode("utf-8", "replace"))
    action, version = fields.get("Action", ""), fields.get("Version", "")
    service = QUERY_VERSIONS.get(version) or _signed_service(caller)
    if not service or not action:
        version = version[:20] or "NO_VERSION_SPECIFIED"
        message = f"Could not find operation {action[:200] or '(none)'} for version {version}"
        raise UnknownOperation(message, code="InvalidAction" if action else "MissingAction")
    return Target(service, action, "query")


def _rest_target(request: WireRequest, caller: Caller) -> Target:
    query = parse_qs(request.query, keep_blank_values=True)
    for service in SIGNING_NAMES.get(caller.service, (caller.service,)):
        if service not in models.known_services():
            continue
        protocol = service_models.service_model(service).metadata["protocol"]
        for route in _routes(service) if protocol.startswith("rest") else ():
            if route.match(request.method, request.path, query):
                return Target(service, route.operation, protocol)
    raise UnknownOperation(f"{request.method} {request.path[:200]} is no operation of {caller.service or 'AWS'}")


def _signed_service(caller: Caller) -> str:
    """botocore's name of the service that a request is signed for, empty if it has none."""
    candidates = SIGNING_NAMES.get(caller.service, ())
    name = candidates[0] if len(candidates) == 1 else caller.service
    return name if name and name in models.known_services() else ""


@cache
def _routes(service: str) -> list[rest.Route]:
    model = service_models.service_model(service)
    return rest.routes([model.operation_model(name) for name in model.operation_names])
