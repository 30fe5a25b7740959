"""A launched command as the emulator follows it: its output through a pipe, its end over a socket."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import threading
from abc import abstractmethod
from typing import Any

from emulator.launchers.launcher import Exit, Launch, Process, Usage
from emulator.launchers.sandbox import wire

_READ_BYTES = 256 * 1024


class FollowedProcess(Process):
    """What all launchers' processes share. One thread follows each until nothing of it is left."""

    def __init__(self, launch: Launch, status: socket.socket, output: int) -> None:
        """``status``: to whoever started the command, which reports its end; ``output``: a pipe's reading end."""
        self._launch = launch
        self._status = status
        self._output = output
        self._lock = threading.Lock()
        self._exit: Exit | None = None
        self._error: BaseException | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._follow, name=f"launch-{launch.job_id}", daemon=True).start()

    @abstractmethod
    def _kill(self) -> None:
        """Kill every process of the command; called while it is known to be followed."""

    @abstractmethod
    def _await_end(self) -> None:
        """Until every process of the command is gone; then clean up after it."""

    @abstractmethod
    def _release(self) -> None:
        """Close what the launcher opened."""

    def wait(self, timeout: float | None = None) -> Exit | None:
        if not self._ended.wait(timeout):
            return None
        if self._error is not None:
            raise self._error
        return self._exit

    def _connect_inside(self, port: int, timeout: float) -> socket.socket:
        """A socket belongs to the network it was made in: whoever started the command makes it and hands it out."""
        ours, theirs = socket.socketpair()
        with ours:
            with self._lock, theirs:
                if self._ended.is_set():
                    raise ConnectionError("the job has ended")
                wire.send(self._status, {"connect": port}, [theirs.fileno()])
            ours.settimeout(timeout)
            received = wire.receive(ours)
        if received is None or not received[1]:
            raise ConnectionError("the job is ending")
        return _connected(socket.socket(fileno=received[1][0]), timeout)

    def terminate(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                with contextlib.suppress(OSError):  # it is ending already
                    wire.send(self._status, {"signal": int(signal.SIGTERM)})

    def kill(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                self._kill()

    def _follow(self) -> None:
        """Deliver output until there can be no more, then say how it ended."""
        try:
            ended = self._pump()
            self._await_end()
            self._exit = _exit_of(ended)
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits
            self._error = self._error or error
        with self._lock:
            self._status.close()
            os.close(self._output)
            self._release()
            self._ended.set()

    def _pump(self) -> dict[str, Any] | None:
        """Until both the pipe and the socket are at their end; the last report."""
        ended: dict[str, Any] | None = None
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        poll.register(self._status, select.POLLIN)
        open_ends = 2
        while open_ends:
            for fd, _ in poll.poll():
                if fd == self._output:
                    data = os.read(fd, _READ_BYTES)
                    self._deliver(data)
                    more = bool(data)
                else:
                    received = _receive(self._status)
                    ended, more = received or ended, received is not None
                if not more:
                    poll.unregister(fd)
                    open_ends -= 1
        return ended

    def _deliver(self, data: bytes) -> None:
        """A job must not hang because its log cannot be written: it is killed, and ``wait`` raises why."""
        if not data or self._error is not None:
            return
        try:
            self._launch.output(data)
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits
            self._error = error
            self.kill()


def _receive(status: socket.socket) -> dict[str, Any] | None:
    try:
        received = wire.receive(status)
    except (OSError, EOFError):
        return None
    return received[0] if received else None


def _exit_of(ended: dict[str, Any] | None) -> Exit:
    """Who could not report was killed, and the job with it."""
    if ended is None:
        return Exit(128 + signal.SIGKILL, signal.SIGKILL, False)
    usage = Usage(*ended["usage"]) if "usage" in ended else None
    return Exit(ended["code"], ended["signal"], ended["out_of_memory"], usage)


def _connected(connection: socket.socket, timeout: float) -> socket.socket:
    """Wait for a connection that is on its way."""
    try:
        ready = select.select([], [connection], [], timeout)[1]
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ready else errno.ETIMEDOUT
        if code:
            raise OSError(code, os.strerror(code))
        connection.settimeout(timeout)
    except BaseException:
        connection.close()
        raise
    return connection
