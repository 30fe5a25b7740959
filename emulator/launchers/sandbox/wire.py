"""Messages between emulator, warden, zygote and the processes of a job: JSON with file descriptors."""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

LAUNCH, FORGET, NETWORK = b"launch", b"forget", b"network"
"""What a warden is asked for: to launch a job in a root of that number; to let go of a root; to make a network."""
_LENGTH = struct.Struct("!I")
_MAX_FDS = 64


def send(connection: socket.socket, message: dict[str, Any], fds: list[int] | None = None) -> None:
    """One message over a stream socket; ``fds`` are duplicated into the receiver."""
    data = json.dumps(message, ensure_ascii=True).encode()
    if fds:
        socket.send_fds(connection, [_LENGTH.pack(len(data))], fds)
        connection.sendall(data)
    else:
        connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and its file descriptors; None where the other side has gone."""
    head, fds, _, _ = socket.recv_fds(connection, _LENGTH.size, _MAX_FDS)
    if not head:
        return None
    head += _exactly(connection, _LENGTH.size - len(head))
    message = json.loads(_exactly(connection, *_LENGTH.unpack(head)))
    assert isinstance(message, dict)
    return message, fds


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise EOFError("the other side ended in the middle of a message")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def hand_over(connection: socket.socket, kind: bytes, fds: list[int]) -> None:
    """One short message with file descriptors over a SEQPACKET socket that several senders share; then close them."""
    try:
        socket.send_fds(connection, [kind], fds)
    finally:
        for fd in fds:
            os.close(fd)


def take_over(connection: socket.socket) -> tuple[bytes, list[int]]:
    """The next message of a SEQPACKET socket; empty where every sender has gone."""
    kind, fds, _, _ = socket.recv_fds(connection, 32, _MAX_FDS)
    return kind, fds
