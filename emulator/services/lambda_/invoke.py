"""Invoke: now, later, or not at all (API Reference, Invoke)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.lambda_.errors import InvalidRequestContent
from emulator.services.lambda_.names import FunctionName, find_version, function_arn
from emulator.services.lambda_.ordering import Call
from emulator.store.resources import Resource

MAX_PAYLOAD = 6_291_456
MAX_EVENT = 1_048_576


@operation("lambda", "Invoke")
def invoke(request: Request, context: Context) -> Response | Awaitable[Response]:
    if request.get("DurableExecutionName"):
        raise NotImplementedHere("The emulator does not have durable functions of Lambda (DurableExecutionName).")
    name, version = find_version(request["FunctionName"], context, request.get("Qualifier"))
    event = _event(request)
    client_context = _client_context(request.get("ClientContext"))
    arn = function_arn(name.scope, name.name, name.qualifier)
    match request.get("InvocationType", "RequestResponse"):
        case "DryRun":
            return {"StatusCode": 204}
        case "Event":
            _check_size(event, MAX_EVENT)
            context.app.neighbours.functions.accept(name.scope, arn, event, context.request_id, client_context)
            return {"StatusCode": 202}
        case _:
            _check_size(event, MAX_PAYLOAD)
            call = Call(context.request_id, arn, event, client_context)
            return _answer(name, version, call, request.get("LogType") == "Tail", context)


async def _answer(name: FunctionName, version: Resource, call: Call, tail: bool, context: Context) -> Response:
    outcome = await asyncio.wrap_future(context.app.neighbours.functions.call(version, call))
    return {
        "StatusCode": 200,
        "ExecutedVersion": version.body["Version"],
        "FunctionError": "Unhandled" if outcome.failed else None,
        "LogResult": base64.b64encode(outcome.tail).decode() if tail else None,
        "Payload": outcome.payload.encode(),
    }


def _event(request: Request) -> str:
    payload = request.get("Payload") or b""
    try:
        text = payload.decode() if isinstance(payload, bytes) else str(payload)
        json.loads(text or "null")
    except (ValueError, RecursionError) as error:
        raise InvalidRequestContent(f"Could not parse request body into json: {error}") from error
    return text


def _check_size(event: str, limit: int) -> None:
    size = len(event.encode())
    if size > limit:
        raise InvalidRequestContent(
            f"{size} byte payload is too large for the invocation type (limit {limit} bytes)",
            code="RequestTooLargeException", status=413,
        )  # fmt: skip


def _client_context(text: str | None) -> Any:
    if not text:
        return None
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from error
