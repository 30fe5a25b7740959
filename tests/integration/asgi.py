"""Requests to an ASGI application in this process, without a socket between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def request(
    app: Any, method: str, path: bytes, query: bytes, headers: Mapping[str, str], body: bytes = b""
) -> Answer:
    """Send one request and read the whole answer."""
    answer = Answer()
    pending = [body]
    sent = {"host": "127.0.0.1", "content-length": str(len(body)), **headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pending.pop() if pending else b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": query,
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.1", 12345),
        "server": ("127.0.0.1", 4570),
        "root_path": "",
    }
    await app(scope, receive, send)
    return answer
