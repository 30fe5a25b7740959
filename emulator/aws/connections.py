"""A request's connection, as the gateway lends it to a service that moves large bodies in a thread."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, Protocol

LENT_CONNECTION = "emulator.connection"
"""The ASGI extension under which a request's scope carries it; servers without it pass bodies through ASGI alone."""


class Connection(Protocol):
    """Borrow, move the bytes in a thread, close the handle, return. ``emulator.gateway.lending`` says more."""

    def borrow_for_reading(self) -> tuple[socket.socket, bytes]: ...

    def return_after_reading(self, *, whole: bool) -> None: ...

    async def borrow_for_writing(self) -> socket.socket: ...

    def return_after_writing(self, sent: int) -> None: ...


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    found: Connection | None = (scope.get("extensions") or {}).get(LENT_CONNECTION)
    return found
