"""A server in front of an emulator that passes calls on, refuses them, or answers in its stead; it counts them.

What only AWS itself does can be tried so: permissions that are missing, throttling, lists of ten thousand, a gigabyte
of log.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Request = dict[str, Any]
Answer = Callable[[Request], dict[str, Any]]


@dataclass(frozen=True)
class Refusal:
    """An error as AWS writes it."""

    code: str
    message: str = "refused for the test"
    status: int = 400


DENIED = Refusal("AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized to perform this action")


@dataclass
class Front:
    """``rules`` by operation: a refusal, or a function from the request to the answer. ``calls`` counts operations."""

    exports: Mapping[str, str]
    rules: dict[str, Refusal | Answer] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    url: str = ""

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a client that asks the front instead of the emulator."""
        client = ("BOTOCORE", "PYTHONPATH")  # they lead it to the emulator
        kept = {n: value for n, value in self.exports.items() if value is not None and not n.startswith(client)}
        return kept | {"AWS_ENDPOINT_URL": self.url}

    def clear(self) -> None:
        self.rules.clear()
        self.calls.clear()


def operation_of(method: str, path: str, target: str) -> str:
    """The operation that a request means; of S3 only those that studio calls."""
    if target:
        return target.rsplit(".", 1)[-1]
    if "/operation/" in path:  # the RPC of Smithy, as CloudWatch speaks it
        return path.rsplit("/", 1)[-1]
    parts = urlsplit(path)
    if parts.path.count("/") < 2 or (parts.path.endswith("/") and parts.path.count("/") == 2):
        return "ListObjectsV2" if len(parts.path) > 1 else "ListBuckets"
    return "HeadObject" if method == "HEAD" else "GetObject"


class _Handler(BaseHTTPRequestHandler):
    front: Front
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = operation_of(self.command, self.path, self.headers.get("X-Amz-Target", ""))
        self.front.calls[operation] += 1
        rule = self.front.rules.get(operation)
        if isinstance(rule, Refusal):
            self._refuse(rule, is_s3="X-Amz-Target" not in self.headers)
        elif rule is not None:
            self._send(200, json.dumps(rule(json.loads(body or b"{}"))).encode(), "application/x-amz-json-1.1")
        else:
            self._pass_on(body)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _serve

    def _refuse(self, refusal: Refusal, *, is_s3: bool) -> None:
        if is_s3:
            text = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
            self._send(403, b"" if self.command == "HEAD" else text.encode(), "application/xml")
        else:
            document = {"__type": refusal.code, "message": refusal.message}
            self._send(refusal.status, json.dumps(document).encode(), "application/x-amz-json-1.1")

    def _pass_on(self, body: bytes) -> None:
        address = urlsplit(self.front.exports["AWS_ENDPOINT_URL"])
        connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            kind = response.getheader("Content-Type") or ""
            data = response.read()
            kept = {n: v for n, v in response.getheaders() if n.lower() in ("etag", "last-modified", "content-range")}
            length = response.getheader("Content-Length") if self.command == "HEAD" else None
            self._send(response.status, data, kind, kept, length)
        finally:
            connection.close()

    def _send(
        self, status: int, data: bytes, kind: str, headers: Mapping[str, str] | None = None, length: str | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test reads ``calls``."""


@contextmanager
def fronting(exports: Mapping[str, str]) -> Iterator[Front]:
    """A front before the emulator of these exports."""
    front = Front(exports)
    handler = type("Handler", (_Handler,), {"front": front})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
