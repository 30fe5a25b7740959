"""Faults put between botocore and the network, where its retries and its parsing see them as they see AWS's own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

JSON_SERVICES = ("sagemaker", "ecr", "logs")


class Faults:
    """``faults.refuse("sagemaker.CreatePipeline", "ThrottlingException")`` answers in AWS's place, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from botocore import handlers

        self.calls: list[str] = []
        self._pending: list[tuple[str, Callable[[Any], Any], list[int]]] = []
        monkeypatch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, ("before-send", self._send)])

    def refuse(self, operation: str, code: str, message: str = "because", status: int = 400, times: int = 99) -> None:
        """Answer an operation with an error."""
        service = operation.partition(".")[0]

        def answer(request: Any) -> Any:
            if service in JSON_SERVICES:
                body = json.dumps({"__type": code, "message": message}).encode()
            else:
                body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
            return response(request, status, b"" if request.method == "HEAD" else body)

        self._pending.append((operation, answer, [times]))

    def fail(self, operation: str, make: Callable[[str], Exception], after: int = 0, times: int = 99) -> None:
        """Raise what ``make`` gives for the request's URL, once the operation has gone well ``after`` times."""
        left = [after]

        def raise_it(request: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                return None
            raise make(request.url)

        self._pending.append((operation, raise_it, [times + after]))

    def clear(self) -> None:
        """From now on all goes well."""
        self._pending.clear()

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        operation = event_name.removeprefix("before-send.")
        self.calls.append(operation)
        for wanted, answer, times in self._pending:
            if wanted in (operation, "*") and times[0] > 0:
                times[0] -= 1
                return answer(request)
        return None


def response(request: Any, status: int, body: bytes) -> Any:
    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders

    class Raw(io.BytesIO):
        def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Any:
            while chunk := self.read(amt):
                yield chunk

    return AWSResponse(request.url, status, HTTPHeaders.from_dict({"Content-Length": str(len(body))}), Raw(body))
