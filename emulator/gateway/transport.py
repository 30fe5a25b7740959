"""uvicorn's HTTP protocol, with the head and the body of an answer in one segment.

uvicorn writes them one after the other, so the client wakes for the head, waits, and wakes again for the body. On a
busy machine that is half of the time of a small request. A request also carries its connection, for large bodies.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator.aws.connections import LENT_CONNECTION
from emulator.gateway.lending import LentConnection

_LARGEST_JOINED = 64 * 1024
"""Longer pieces are written by themselves: copying them costs more than a segment."""


class OneSegmentProtocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        held: Any = HoldingTransport(transport, self.loop)
        super().connection_made(held)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.scope["extensions"] = {LENT_CONNECTION: LentConnection(self, self.cycle)}  # type: ignore[dict-item]


class HoldingTransport:
    """A transport that holds the head of an answer until the next write, or at most until the loop's next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            if len(data) <= _LARGEST_JOINED:
                self._transport.write(head + data)
                return
            self._transport.write(head)
        elif data.startswith(b"HTTP/") and data.endswith(b"\r\n\r\n"):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head:
            self._transport.write(head)
