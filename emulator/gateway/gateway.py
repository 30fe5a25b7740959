"""The wire: one ASGI application for every AWS service.

A request goes through: host check, caller, route, (signature), read, check, handler, write. Whatever goes wrong on the
way becomes an AWS error in the protocol of the request; only S3's requests leave the way early, for their own endpoint.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from emulator.aws.errors import AwsError, InternalFailure
from emulator.gateway import errors, function_code, health, interruptions, requirement_layers, routing
from emulator.gateway.bodies import Disconnected, read_body, unpacked
from emulator.gateway.callers import UNSIGNED, Caller, caller_of, scope_of
from emulator.gateway.compiled import compiled
from emulator.gateway.hosts import check_host, is_loopback
from emulator.gateway.signatures import verify
from emulator.gateway.wire import WireRequest, WireResponse
from emulator.services.context import App, Context
from emulator.settings import Settings, SettingsError
from emulator.store.object_errors import disk_full, is_disk_full

if TYPE_CHECKING:
    from starlette.responses import Response

    from emulator.services.ecr.registry_api import RegistryApi
    from emulator.services.s3.endpoint import S3Endpoint

AsgiScope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)


def create_gateway(app: App, isolation: str = "") -> Gateway:
    """The ASGI application of an emulator; ``isolation`` describes how jobs are kept apart, for the health route.

    Raises:
        SettingsError: it would listen beyond this machine without demanding known keys.
    """
    return Gateway(app, isolation)


def demands_signatures(settings: Settings) -> bool:
    """Whether requests must be signed with the known keys: where keys are set, and always beyond loopback.

    Raises:
        SettingsError: signatures are needed, but the keys to verify them are not set.
    """
    known = bool(settings.access_key_id and settings.secret_access_key)
    if not known and not is_loopback(settings.host):
        raise SettingsError(
            f"EMULATOR_HOST={settings.host} is reachable from other machines, so requests must be signed with known "
            "keys. Set EMULATOR_ACCESS_KEY_ID and EMULATOR_SECRET_ACCESS_KEY, or listen on 127.0.0.1."
        )
    if bool(settings.access_key_id) != bool(settings.secret_access_key):
        raise SettingsError("EMULATOR_ACCESS_KEY_ID and EMULATOR_SECRET_ACCESS_KEY work together: set both or none.")
    return known


class Gateway:
    """The ASGI application; its state is the compiled operations, made as they are first asked for."""

    def __init__(self, app: App, isolation: str = "") -> None:
        self._app = app
        self._isolation = isolation
        self._signed = demands_signatures(app.settings)
        self._checks_host = is_loopback(app.settings.host)
        self._s3: S3Endpoint | None = None
        self._registry: RegistryApi | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"The gateway speaks HTTP only, not {scope['type']}")
        request = _wire_request(scope)
        request_id = _request_id()
        try:
            answer = await self._answer(request, scope, receive, request_id)
        except Disconnected:
            return
        if isinstance(answer, WireResponse):
            await _send(answer, request_id, request.method, send)
        else:
            answer.headers.setdefault("x-amzn-RequestId", request_id)
            await answer(scope, receive, send)

    def close(self) -> None:
        for part in (self._s3, self._registry):
            if part is not None:
                part.close()

    async def _answer(
        self, request: WireRequest, scope: AsgiScope, receive: Receive, request_id: str
    ) -> WireResponse | Response:
        caller = UNSIGNED
        try:
            if self._checks_host:
                check_host(request.headers.get("host", ""))
            if request.path == health.PATH:
                return self._health(scope)
            if request.path.startswith(requirement_layers.PREFIX):
                request.body = await read_body(request.headers, receive)
                return requirement_layers.answer(self._app.jobs.layers, request)
            if request.path.startswith(function_code.PREFIX):
                return function_code.answer(self._app, request)
            if request.path == interruptions.PATH:
                request.body = await read_body(request.headers, receive)
                return interruptions.answer(self._app, request, local=_is_local(scope))
            caller = caller_of(request)
            if routing.is_registry(request, caller):
                return await self._answer_registry(scope, receive, request_id)
            if routing.is_s3(request, caller):
                return await self._answer_s3(request, caller, scope, receive, request_id)
            request.body = await read_body(request.headers, receive)
            return await self._answer_operation(request, caller, request_id)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 — the boundary: what is not an AWS error is logged and becomes one
            failure = error if isinstance(error, AwsError) else self._failure(error, request, request_id)
            return errors.render(failure, routing.protocol_of(request, caller), caller.service, request_id)

    def _failure(self, error: Exception, request: WireRequest, request_id: str) -> AwsError:
        """The AWS error for one that is not, which goes to the log with its traceback."""
        _log.error("request %s (%s %s) failed", request_id, request.method, request.path, exc_info=error)
        if is_disk_full(error):
            return disk_full(self._app.settings.data_dir)
        return InternalFailure(
            f"The emulator failed on this request; its log has the traceback under request id {request_id}."
        )

    async def _answer_operation(self, request: WireRequest, caller: Caller, request_id: str) -> WireResponse:
        if self._signed:
            verify(request, caller, self._app.settings, self._app.resources)
        request.body = unpacked(request.headers, request.body)
        target = routing.find_target(request, caller)
        operation = compiled(target.service, target.operation, target.protocol)
        scope = scope_of(caller, self._app.settings, self._app.resources)
        members = _guarded(operation.read, request)
        operation.check(members)
        context = Context(scope, request_id, self._app, caller.access_key_id)
        handler = operation.operation.handler
        if operation.operation.blocking:
            import anyio.to_thread

            response = await anyio.to_thread.run_sync(handler, members, context)
        else:
            response = handler(members, context)
        document = await response if isinstance(response, Awaitable) else response
        return operation.write(document, request_id)

    async def _answer_s3(
        self, request: WireRequest, caller: Caller, scope: AsgiScope, receive: Receive, request_id: str
    ) -> Response:
        from starlette.requests import Request

        if self._signed:
            verify(request, caller, self._app.settings, self._app.resources)
        if self._s3 is None:
            from emulator.services.s3.endpoint import S3Endpoint

            self._s3 = S3Endpoint(self._app, signed=self._signed)
        aws_scope = scope_of(caller, self._app.settings, self._app.resources)
        return await self._s3(Request(scope, receive), aws_scope, request_id)

    async def _answer_registry(self, scope: AsgiScope, receive: Receive, request_id: str) -> Response:
        """Requests of docker's API carry a token instead of a signature, which only a signed call can have got."""
        from starlette.requests import ClientDisconnect, Request

        if self._registry is None:
            from emulator.services.ecr.registry_api import RegistryApi

            self._registry = RegistryApi(self._app)
        try:
            return await self._registry(Request(scope, receive), request_id)
        except ClientDisconnect as error:
            raise Disconnected from error

    def _health(self, scope: AsgiScope) -> WireResponse:
        return health.health(self._app.settings, self._isolation, details=_is_local(scope))


def _is_local(scope: AsgiScope) -> bool:
    """Whether this machine asks."""
    return is_loopback((scope.get("client") or ("",))[0])


def _request_id() -> str:
    """A random UUID; ``uuid.uuid4()`` takes eight times as long, and nothing here must be hard to guess."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _guarded(read: Callable[[WireRequest], dict[str, Any]], request: WireRequest) -> dict[str, Any]:
    try:
        return read(request)
    except RecursionError as error:
        raise AwsError("The request is nested too deeply", code="SerializationException") from error


def _wire_request(scope: AsgiScope) -> WireRequest:
    return WireRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )


async def _send(response: WireResponse, request_id: str, method: str, send: Send) -> None:
    headers = [(name.encode("latin-1"), _header_value(value)) for name, value in response.headers.items()]
    headers.append((b"x-amzn-RequestId", request_id.encode()))
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})


def _header_value(value: str) -> bytes:
    """A header's bytes; line breaks would end the header, so they become spaces."""
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
