"""The program `serve`: GET /ping and POST /invocations on port 8080, as SageMaker's hosting and batch transform ask.

Batch transform also asks for GET /execution-parameters.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from environment import base_folder, variable
from model import Model, ModelError, load_model
from payload import READERS, WRITERS, BadRequest, choose_reader, choose_writer

DEFAULT_PORT = "8080"
MAX_BODY = 100 * 2**20
"""The largest payload of a batch transform; real-time requests are smaller."""
INLINE_BODY = 64 * 2**10
"""A body up to this size is answered at once; a larger one in a thread, so that /ping is not kept waiting."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    """The ASGI application of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, kind, body = await self.respond(scope, receive)
        except BadRequest as error:
            status, kind, body = error.status, "text/plain; charset=utf-8", f"{error}\n".encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def respond(self, scope: dict[str, Any], receive: Receive) -> tuple[int, str, bytes]:
        match scope["method"], scope["path"]:
            case "GET", "/ping":
                return 200, "text/plain", b"\n"
            case "GET", "/execution-parameters":
                return 200, "application/json", json.dumps(execution_parameters()).encode()
            case "POST", "/invocations":
                return await self.invoke(scope, receive)
            case _, "/ping" | "/invocations":
                raise BadRequest(405, f"{scope['method']} {scope['path']}: use GET /ping or POST /invocations")
        raise BadRequest(404, f"{scope['path']} is neither /ping nor /invocations")

    async def invoke(self, scope: dict[str, Any], receive: Receive) -> tuple[int, str, bytes]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reader = choose_reader(headers.get("content-type", ""))
        accept = headers.get("accept") or variable("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "*/*")
        writer = choose_writer(accept, otherwise=reader)
        body = await read_body(receive)
        if len(body) <= INLINE_BODY:
            return 200, writer, self.answer(body, reader, writer)
        return 200, writer, await asyncio.to_thread(self.answer, body, reader, writer)

    def answer(self, body: bytes, reader: str, writer: str) -> bytes:
        return WRITERS[writer](self.model.predict(READERS[reader](body, self.model)), self.model)


def execution_parameters() -> dict[str, Any]:
    """How batch transform should ask: large requests are answered in threads, so one for each processor."""
    return {"MaxConcurrentTransforms": os.cpu_count() or 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


async def read_body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest(400, "the client went away before its request was complete")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise BadRequest(413, f"the body is larger than {MAX_BODY // 2**20} MiB")
    return bytes(body)


def main() -> int:
    """Load the model, then answer until told to stop; 1 if there is no model to load."""
    try:
        model = load_model(base_folder() / "model")
        port = int(variable("SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT))
    except (ModelError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    level = "info" if variable("SAGEMAKER_CONTAINER_LOG_LEVEL", "20") <= "20" else "warning"
    host = "0.0.0.0"  # SageMaker reaches the container from outside of it
    uvicorn.run(Application(model), host=host, port=port, log_level=level, access_log=False, lifespan="off")
    return 0
