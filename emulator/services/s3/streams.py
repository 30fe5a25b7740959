"""An object's bytes on their way out: by the kernel if they are many, else read in a thread, ahead of the socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator.aws.connections import Connection, connection_of
from emulator.services.s3.transfers import SMALLEST
from emulator.services.s3.transfers import send as transfer

CHUNK = 256 * 1024
"""Large enough to make system calls rare, small enough that the socket's buffer takes most of it at once."""


@dataclass(slots=True)
class BlobStream:
    """``length`` bytes of an open file from ``start`` on. Whoever holds it closes it."""

    file: BinaryIO
    start: int
    length: int

    def read(self) -> bytes:
        """The next chunk; empty at the end."""
        self.file.seek(self.start)
        data = self.file.read(min(CHUNK, self.length))
        self.start += len(data)
        self.length -= len(data)
        return data

    def read_all(self) -> bytes:
        chunks = []
        while chunk := self.read():
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        self.file.close()


class StreamResponse(Response):
    """Sends a ``BlobStream`` and closes it, also when the client goes away. ``headers`` have its ``Content-Length``."""

    def __init__(self, stream: BlobStream, status: int, headers: Mapping[str, str], executor: Executor) -> None:
        super().__init__(status_code=status, headers=headers)
        self._stream = stream
        self._executor = executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            connection = connection_of(scope)
            if connection and self._stream.length >= SMALLEST:
                await self._transfer(connection)
            else:
                await self._send_chunks(send, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self._stream.close()

    async def _transfer(self, connection: Connection) -> None:
        stream, loop = self._stream, asyncio.get_running_loop()
        handle = await connection.borrow_for_writing()
        with handle:
            sent = await loop.run_in_executor(
                self._executor, transfer, handle, stream.file, stream.start, stream.length
            )
        connection.return_after_writing(sent)

    async def _send_chunks(self, send: Send, gone: asyncio.Future[None]) -> None:
        loop = asyncio.get_running_loop()
        chunk = await loop.run_in_executor(self._executor, self._stream.read)
        while chunk and not gone.done():
            following = loop.run_in_executor(self._executor, self._stream.read)
            try:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            finally:
                chunk = await following


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
