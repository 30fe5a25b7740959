"""``serve``: GET /ping and POST /invocations on port 8080, as SageMaker's hosting and batch transform ask."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from . import encoders, handlers
from .container import Container, variable
from .errors import BadRequest, ToolkitError, UserError
from .handlers import Answer, Defaults, Predictor

DEFAULT_PORT = "8080"
MAX_PAYLOAD_MIB = 6
_PROGRAM = "inference.py"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def serve(container: Container) -> int:
    """Load the model, then answer until a signal says stop."""
    import uvicorn

    try:
        application = Application(load(container))
    except ToolkitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    port = int(variable("SAGEMAKER_BIND_TO_PORT", DEFAULT_PORT))  # loopback: a job may share the host's network
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")
    return 0


def load(container: Container) -> Predictor:
    """The user's handlers where the model names a program, else the algorithm of the image.

    Raises:
        UserError: the model or the handlers cannot be loaded.
    """
    program = variable("SAGEMAKER_PROGRAM")
    if _has("xgboost") and not program:
        from .xgboost_algorithm import serving

        return serving.predictor(container)
    defaults = _defaults()
    if program := program or _usual_program(container):
        return handlers.load(container, program, defaults)
    if defaults.model is not None:
        return handlers.of_defaults(container, defaults)
    raise UserError("SAGEMAKER_PROGRAM must name the program with model_fn: this image has no algorithm of its own")


def _usual_program(container: Container) -> str:
    """AWS's framework images take ``code/inference.py`` of the model where nothing names a program."""
    return _PROGRAM if (container.model / "code" / _PROGRAM).is_file() else ""


def _defaults() -> Defaults:
    if _has("torch"):
        from .pytorch import DEFAULTS

        return DEFAULTS
    if _has("tensorflow"):
        from .tensorflow_models import DEFAULTS

        return DEFAULTS
    if _has("xgboost"):
        from .xgboost_algorithm.serving import decode

        return Defaults(decode=decode)
    return Defaults()


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


class Application:
    """The ASGI application of one model; predictions run in a thread, so that /ping is not kept waiting."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, answer = await self._respond(scope, receive)
        headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _respond(self, scope: dict[str, Any], receive: Receive) -> tuple[int, Answer]:
        try:
            match scope["method"], scope["path"]:
                case "GET", "/ping":
                    return 200, Answer(b"\n", encoders.JSON)
                case "GET", "/execution-parameters":
                    return 200, Answer(json.dumps(execution_parameters()).encode(), encoders.JSON)
                case "POST", "/invocations":
                    return 200, await self._invoke(scope, receive)
            raise BadRequest(404, f"{scope['method']} {scope['path']}: there are GET /ping and POST /invocations")
        except BadRequest as error:
            return error.status, Answer(str(error).encode(), "text/plain")
        except Exception:  # noqa: BLE001  the user's handler failed: its traceback is the answer
            text = traceback.format_exc()
            print(text, file=sys.stderr, flush=True)
            return 500, Answer(text.encode(), "text/plain")

    async def _invoke(self, scope: dict[str, Any], receive: Receive) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        accept = headers.get("accept") or "*/*"
        if accept == "*/*":
            accept = variable("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "*/*")
        body = await _read(receive)
        return await asyncio.to_thread(self._predictor, body, headers.get("content-type", ""), accept)


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest(400, "the client went away before its request was complete")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def execution_parameters() -> dict[str, Any]:
    """What batch transform asks for before it sends records."""
    return {
        "MaxConcurrentTransforms": os.cpu_count() or 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": MAX_PAYLOAD_MIB,
    }
