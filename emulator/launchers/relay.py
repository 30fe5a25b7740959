"""The way out of a job that has a network of its own: what comes to an outlet goes on to one address outside."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Container

_CHUNK = 256 * 1024


class Relay:
    """Accepts connections at a socket of the job's network and passes bytes both ways. One thread of its own."""

    def __init__(
        self, listener: socket.socket, address: tuple[str, int], callers: Container[str] | None = None
    ) -> None:
        """``callers``: the addresses that may call; all, if there are none."""
        self._listener = listener
        self._callers = callers
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._serving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Refuse new connections and end the open ones."""
        self._serving.wait()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._listener))
        self._serving.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*self._connections, return_exceptions=True))
            self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._callers is None or writer.get_extra_info("peername")[0] in self._callers:
                await join(reader, writer, self._address)
        except OSError:
            pass  # one of the two ends has gone, and the other learns it by the end of its connection
        finally:
            writer.close()
            self._connections.discard(task)


async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: tuple[str, int]) -> None:
    """Connect to ``address`` and pass bytes both ways until both ends have no more.

    Raises:
        OSError: there is no connection, or one of the two broke.
    """
    outside, onward = await asyncio.open_connection(*address)
    try:
        await asyncio.gather(_pass(reader, onward), _pass(outside, writer))
    finally:
        onward.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes one way, until there are no more; the other way may go on."""
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
