"""S3 at the gateway: from a Starlette request to a Starlette response.

A request is routed by botocore's S3 model to an operation of the registry. Its body, if it is an object's data, is
streamed to the store before the handler runs; an object's data in the answer is streamed after.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.aws.operations import Operation, find
from emulator.services.context import App, Context
from emulator.services.s3.access import check_access
from emulator.services.s3.addressing import Address, parse_address
from emulator.services.s3.bodies import OpenWriter, ReceivedBlob, receive_blob, receive_document
from emulator.services.s3.errors import error_document, malformed_xml, method_not_allowed
from emulator.services.s3.multipart import open_part
from emulator.services.s3.parsing import bindings_of, is_stream, parse_members, parse_payload
from emulator.services.s3.presigned import check_expiry
from emulator.services.s3.routing import find_operation
from emulator.services.s3.serializing import serialize
from emulator.services.s3.streams import CHUNK, BlobStream, StreamResponse
from emulator.store.object_errors import disk_full, is_disk_full
from emulator.store.resources import Scope

_THREADS = 12
"""A client that moves a large body slowly has one for itself; boto3 moves ten parts at a time. Each keeps a MiB."""


@dataclass(frozen=True, slots=True)
class _Call:
    request: Request
    address: Address
    query: Mapping[str, str]
    context: Context


class S3Endpoint:
    """Answers every S3 request of one emulator. File and database work is done in threads of its own.

    ``signed``: the gateway checks signatures, so the hashes that they cover are checked here.
    """

    def __init__(self, app: App, *, signed: bool = False) -> None:
        self._app = app
        self._signed = signed
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")

    async def __call__(self, request: Request, scope: Scope, request_id: str) -> Response:
        headers = {"x-amz-request-id": request_id, "x-amz-id-2": secrets.token_urlsafe(48)}
        try:
            address = request.client.host if request.client else "127.0.0.1"
            answer = await self._answer(request, Context(scope, request_id, self._app, address=address))
        except AwsError as error:
            answer = _error_response(error, request, headers)
        except (OSError, sqlite3.OperationalError) as error:
            if not is_disk_full(error):
                raise
            answer = _error_response(disk_full(self._app.objects.root), request, headers)
        answer.headers.update(headers)
        return answer

    def close(self) -> None:
        self._threads.shutdown()

    async def _answer(self, request: Request, context: Context) -> Response:
        address = parse_address(
            request.headers.get("host", ""), request.scope.get("raw_path") or request.url.path.encode()
        )
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        check_expiry(query)
        call = _Call(request, address, query, context)
        operation = _find(call)
        members = _members(call, operation.name)
        check_access(operation.name, members, context)
        return await self._run(call, operation, members)

    async def _run(self, call: _Call, operation: Operation, members: dict[str, Any]) -> Response:
        received = await self._receive(call, operation.name, members)
        handle = partial(_handle, operation, members, call.context, received)
        if operation.blocking:
            response = await asyncio.get_running_loop().run_in_executor(self._threads, handle)
        else:
            response = handle()
        return await self._respond(operation.name, response)

    async def _receive(self, call: _Call, name: str, members: dict[str, Any]) -> ReceivedBlob | None:
        """Read the body into the request's members; the blob, if it is an object's data."""
        bindings = bindings_of(name)
        if is_stream(name):
            open_writer = _open_writer(name, members, call.context)
            received = await receive_blob(call.request, open_writer, self._threads, signed=self._signed)
            members[bindings.payload] = received
            return received
        if bindings.payload:
            members |= parse_payload(name, await receive_document(call.request, self._threads))
            if bindings.payload_required and bindings.payload not in members:
                raise malformed_xml()
        return None

    async def _respond(self, name: str, response: Mapping[str, Any]) -> Response:
        wire = serialize(name, response)
        body = wire.body
        if isinstance(body, BlobStream):
            if body.length > CHUNK:
                return StreamResponse(body, wire.status, wire.headers, self._threads)
            try:
                body = await asyncio.get_running_loop().run_in_executor(self._threads, body.read_all)
            finally:
                wire.body.close()  # type: ignore[union-attr]
        return Response(body, wire.status, wire.headers)


def _find(call: _Call) -> Operation:
    method, headers = call.request.method, call.request.headers
    name = find_operation(method, call.address, call.query, headers)
    if name is None and method == "POST" and headers.get("content-type", "").startswith("multipart/form-data"):
        name = "PostObject"
    if name is None:
        raise method_not_allowed(
            method, "OBJECT" if call.address.key else "BUCKET" if call.address.bucket else "SERVICE", {}
        )
    found = find("s3", name)
    if found is None:
        raise NotImplementedHere(f"The emulator does not have the Amazon S3 operation {name} yet.")
    return found


def _members(call: _Call, name: str) -> dict[str, Any]:
    """The members that are in the request's path, query and headers."""
    members = parse_members(name, call.query, call.request.headers)
    members |= {"Bucket": call.address.bucket} if call.address.bucket else {}
    members |= {"Key": call.address.key} if call.address.key else {}
    return members


def _open_writer(name: str, members: dict[str, Any], context: Context) -> OpenWriter:
    if name == "UploadPart":
        return partial(open_part, members, context)
    return lambda length: context.app.objects.blobs.create()


def _handle(
    operation: Operation, members: dict[str, Any], context: Context, received: ReceivedBlob | None
) -> dict[str, Any]:
    try:
        response = operation.handler(members, context)
        assert isinstance(response, dict), f"{operation.name} waits, which operations of S3 must not"
        return response
    except BaseException:
        if received:
            context.app.objects.discard(received.content)
        raise


def _error_response(error: AwsError, request: Request, headers: Mapping[str, str]) -> Response:
    bare = request.method == "HEAD" or error.status == 304
    resource = request.url.path
    body = b"" if bare else error_document(error, resource, headers["x-amz-request-id"], headers["x-amz-id-2"])
    answer = Response(body, error.status, error.headers, media_type=None if bare else "application/xml")
    if "expect" in request.headers:
        # A client that waits for "100 Continue" now keeps its body: its next request must not be taken for that.
        answer.headers["connection"] = "close"
    return answer
