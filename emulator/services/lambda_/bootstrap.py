"""What runs in the sandbox: imports the handler, calls it with the event, leaves the result in a file.

It stands alone there, as ``/var/runtime/bootstrap.py``, and uses the standard library only. The texts of errors are
those of AWS's Python runtime.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class LambdaContext:
    """The second argument of a handler (Lambda Developer Guide, "Using the Lambda context object", Python)."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.function_name: str = request["function_name"]
        self.function_version: str = request["function_version"]
        self.invoked_function_arn: str = request["arn"]
        self.memory_limit_in_mb: str = str(request["memory"])
        self.log_group_name: str = request["log_group"]
        self.log_stream_name: str = request["log_stream"]
        self.identity: Any = None
        self.client_context: Any = request["client_context"]
        self._deadline: float = time.time() + request["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message: str) -> None:
        sys.stdout.write(str(message))


class HandlerError(Exception):
    """There is no such handler; ``kind`` is the runtime's name for it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _RequestFilter(logging.Filter):
    def __init__(self, request_id: str) -> None:
        super().__init__()
        self._request_id = request_id

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self._request_id
        return True


def find_handler(text: str) -> Callable[[Any, LambdaContext], Any]:
    module_name, dot, name = text.rpartition(".")
    if not dot:
        raise HandlerError("Runtime.MalformedHandlerName", f"Bad handler '{text}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise HandlerError("Runtime.UserCodeSyntaxError", message) from error
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise HandlerError("Runtime.ImportModuleError", message) from error
    handler = getattr(module, name, None)
    if handler is None:
        raise HandlerError("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    found: Callable[[Any, LambdaContext], Any] = handler
    return found


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The result: ``payload`` is JSON text; ``error`` says whether it describes an error."""
    try:
        handler = find_handler(request["handler"])
        result = handler(request["event"], LambdaContext(request))
    except HandlerError as error:
        print(f"[ERROR] {error.kind}: {error}", flush=True)
        failure = {"errorMessage": str(error), "errorType": error.kind, "requestId": request["request_id"]}
        return {"error": True, "payload": json.dumps(failure | {"stackTrace": []})}
    except Exception as error:  # noqa: BLE001 - whatever the handler raises is its result
        return {"error": True, "payload": json.dumps(_failure(error, request["request_id"]))}
    try:
        return {"error": False, "payload": json.dumps(result)}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        failure = {"errorMessage": message, "errorType": "Runtime.MarshalError", "requestId": request["request_id"]}
        print(f"[ERROR] Runtime.MarshalError: {message}", flush=True)
        return {"error": True, "payload": json.dumps(failure | {"stackTrace": []})}


def _failure(error: Exception, request_id: str) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[1:]  # without this file's own
    stack = traceback.format_list(frames)
    print(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):\n{''.join(stack)}", flush=True)
    kind = type(error).__name__
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": stack}


def _set_up_logging(request_id: str) -> None:
    handler = logging.StreamHandler(sys.stdout)
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_RequestFilter(request_id))
    logging.getLogger().addHandler(handler)


def main() -> None:
    folder = Path(sys.argv[1])
    request = json.loads((folder / "request.json").read_text())
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:0] = [root]
    os.chdir(root)
    _set_up_logging(request["request_id"])
    result = run(request)
    scratch = folder / "result.new"
    scratch.write_text(json.dumps(result))
    sys.stdout.flush()
    scratch.rename(folder / "result.json")


if __name__ == "__main__":
    main()
