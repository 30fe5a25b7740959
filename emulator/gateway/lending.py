"""Lending a request's socket to a thread, for bodies too large to pass through the event loop.

asyncio and uvicorn copy every byte of a body several times in small pieces. A thread that has the socket receives into
one buffer again and again, and has the kernel send a file. uvicorn's own state is put right when the socket comes back.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_DRAIN_SECONDS = 0.002


class LentConnection:
    """One request's connection. Its methods are called in the event loop's thread."""

    def __init__(self, protocol: HttpToolsProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle

    def borrow_for_reading(self) -> tuple[socket.socket, bytes]:
        """The socket, and what has come of the body already. Who borrows reads the rest, no byte more, and closes the
        socket, which is a second handle."""
        protocol, cycle = self._protocol, self._cycle
        protocol.flow.pause_reading()
        arrived = bytes(cycle.body)
        cycle.body = bytearray()
        if cycle.waiting_for_100_continue:
            cycle.waiting_for_100_continue = False
            protocol.transport.write(_CONTINUE)
        return self._second_handle(), arrived

    def return_after_reading(self, *, whole: bool) -> None:
        """Go on with the next request; after a body that did not come ``whole`` there cannot be one."""
        protocol, cycle = self._protocol, self._cycle
        cycle.more_body = False
        cycle.keep_alive = cycle.keep_alive and whole
        if protocol.parser is not None:  # not closed meanwhile
            protocol.parser = httptools.HttpRequestParser(protocol)
        protocol.flow.resume_reading()

    async def borrow_for_writing(self) -> socket.socket:
        """The socket, once all that was written so far is with the kernel; a second handle, to be closed."""
        transport = self._protocol.transport
        await asyncio.sleep(0)  # the head of the answer is held for one turn of the loop
        while transport.get_write_buffer_size() and not transport.is_closing():
            await asyncio.sleep(_DRAIN_SECONDS)
        return self._second_handle()

    def return_after_writing(self, sent: int) -> None:
        """Account for so many bytes of the answer; an answer that is not whole ends its connection."""
        self._cycle.expected_content_length -= sent
        if self._cycle.expected_content_length:
            self._protocol.transport.abort()
            self._cycle.disconnected = True

    def _second_handle(self) -> socket.socket:
        """The transport may be closed meanwhile; the number of its socket must not be another's then."""
        handle: socket.socket = self._protocol.transport.get_extra_info("socket")
        return socket.socket(fileno=os.dup(handle.fileno()))
