"""Connections to a job's own network, made from within it."""

from __future__ import annotations

import contextlib
import socket

from . import wire


def connect(port: int, reply: socket.socket) -> None:
    """Hand the emulator a socket of the job's network that is on its way to a port of the job's.

    The emulator waits for the connection, not this process, which has others to serve.
    """
    with reply, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made, contextlib.suppress(OSError):
        made.setblocking(False)
        code = made.connect_ex(("127.0.0.1", port))
        wire.send(reply, {"errno": code}, [made.fileno()])
