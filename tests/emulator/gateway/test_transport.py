"""An answer is one write to the socket, whatever its shape."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.gateway.transport import HoldingTransport
from tests.emulator.gateway.conftest import Wire

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Recorder:
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def record(*writes: bytes, close: bool = False, turns: int = 0) -> list[bytes]:
    async def run() -> list[bytes]:
        recorder: Any = Recorder()
        transport = HoldingTransport(recorder, asyncio.get_running_loop())
        for data in writes:
            transport.write(data)
            for _ in range(turns):
                await asyncio.sleep(0)
        if close:
            transport.close()
        await asyncio.sleep(0)
        assert transport.is_closing() is close
        written: list[bytes] = recorder.writes
        return written

    return asyncio.run(run())


def test_head_and_body_leave_together() -> None:
    assert record(HEAD, b"body") == [HEAD + b"body"]


def test_a_head_without_a_body_leaves_with_the_next_turn_of_the_loop() -> None:
    assert record(HEAD) == [HEAD]
    assert record(HEAD, b"body", turns=1) == [HEAD, b"body"]


def test_nothing_is_lost_when_the_connection_closes() -> None:
    assert record(HEAD, close=True) == [HEAD]


def test_long_pieces_are_not_copied() -> None:
    piece = b"x" * 100_000
    assert record(HEAD, piece, piece) == [HEAD, piece, piece]


def test_requests_sent_at_once_are_answered_in_order(wire: Wire) -> None:
    import socket

    request = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", wire.port), timeout=20) as connection:
        connection.sendall(
            request * 3 + b"HEAD /_emulator/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 4
    assert answers.count(b'"status":"ok"') == 3
