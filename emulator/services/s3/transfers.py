"""Large bodies, moved between a socket and a file by a thread of their own, past the event loop."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from starlette.requests import ClientDisconnect

from emulator.aws.errors import AwsError

SMALLEST = 1 << 20
"""Bytes from which on a body is worth a thread."""
IDLE_SECONDS = 20.0
"""How long a client may leave its connection alone in the middle of a body, as on AWS."""
_BUFFER = 512 * 1024


class Incoming:
    """What has still to come of a body. The socket is closed by whoever opened it."""

    def __init__(self, connection: socket.socket, arrived: bytes, size: int) -> None:
        self._connection = connection
        self._arrived = arrived
        self._remaining = size - len(arrived)
        self.whole = True
        """False once the connection failed in the middle."""
        connection.settimeout(IDLE_SECONDS)

    def receive(self, take: Callable[[list[bytes | memoryview]], object]) -> None:
        """Give the body to ``take``, piece by piece. A piece's memory is used again for the piece after the next.

        When ``take`` raises, the rest is still taken off the wire: a client that is cut off while sending reports a
        broken connection instead of the reason.

        Raises:
            ClientDisconnect: the client went away.
            AwsError: RequestTimeout: it stopped sending.
            Exception: what ``take`` raised.
        """
        buffers = [memoryview(bytearray(_BUFFER)) for _ in range(2)]
        try:
            take([self._arrived])
            for buffer in itertools.cycle(buffers):
                if not self._remaining:
                    return
                take([self._fill(buffer)])
        except BaseException:
            with suppress(ClientDisconnect, AwsError):
                while self._remaining and self.whole:
                    self._fill(buffers[0])
            raise

    def _fill(self, buffer: memoryview) -> memoryview:
        piece = buffer[: self._remaining]
        filled = 0
        while filled < len(piece):
            filled += self._receive_into(piece[filled:])
        self._remaining -= filled
        return piece

    def _receive_into(self, buffer: memoryview) -> int:
        try:
            count = self._connection.recv_into(buffer)
        except TimeoutError as error:
            self.whole = False
            raise request_timeout() from error
        except OSError:
            count = 0
        if not count:
            self.whole = False
            raise ClientDisconnect
        return count


def send(connection: socket.socket, file: BinaryIO, start: int, length: int) -> int:
    """Have the kernel send a part of a file; how many bytes went: all, unless the client went away or fell asleep."""
    connection.settimeout(IDLE_SECONDS)
    try:
        return connection.sendfile(file, start, length)
    except OSError:
        return max(0, file.tell() - start)


def request_timeout() -> AwsError:
    return AwsError(
        "Your socket connection to the server was not read from or written to within the timeout period. Idle"
        " connections will be closed.",
        code="RequestTimeout",
    )
