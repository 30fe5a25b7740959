"""The emulator's end of the process that runs functions (``host_process``): starts it, gives orders, hears of ends."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from emulator.launchers.sandbox import wire
from emulator.services.lambda_.order import Order
from emulator.services.lambda_.run_folder import RunFolder
from emulator.settings import Settings

_CLOSE_SECONDS = 5.0
_LOOK_SECONDS = 0.1


class HostClosed(Exception):
    """The emulator is stopping: what was waited for goes on without it, or runs again at the next start."""


class FunctionHost:
    """Thread-safe. The process is started by the first order, and again by the next one if it was killed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._orders: dict[str, tuple[Order, threading.Event]] = {}

    def run(self, order: Order) -> None:
        """Until the function has ended, or the process that ran it; the folder of the order shows what came of it.

        Raises:
            HostClosed: the emulator is stopping.
        """
        ended = threading.Event()
        with self._lock:
            if self._closing.is_set():
                raise HostClosed
            control = self._control or self._start()
            self._orders[order.id] = order, ended
        claim = RunFolder(Path(order.folder)).claim()
        try:
            with contextlib.suppress(OSError), self._sending:  # whoever listens has been told that it has gone
                wire.send(control, asdict(order), [claim])
        finally:
            os.close(claim)
        ended.wait()
        if self._closing.is_set():
            raise HostClosed

    def wait_for(self, folder: RunFolder) -> None:
        """Until nobody has the invocation of a folder any more, such as the process of an earlier emulator.

        Raises:
            HostClosed: the emulator is stopping.
        """
        while folder.is_claimed:
            if self._closing.wait(_LOOK_SECONDS):
                raise HostClosed

    def close(self) -> None:
        """Let go of the process: it ends what may run again, then itself when the rest has ended."""
        with self._lock:
            self._closing.set()
            process, control, orders = self._process, self._control, list(self._orders.values())
        for _, ended in orders:
            ended.set()
        if process is None or control is None:
            return
        control.shutdown(socket.SHUT_RDWR)
        if any(order.once for order, _ in orders):
            return
        try:
            process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> socket.socket:
        control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "emulator.services.lambda_.host_process", str(theirs.fileno()), self._folder],
                env=os.environ | self._settings.environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control = control
        threading.Thread(target=self._listen, args=(self._process, control), name="function-host", daemon=True).start()
        return control

    def _listen(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        """Until the process has gone; whoever waits for it is told then."""
        with contextlib.suppress(OSError, EOFError):
            while received := wire.receive(control):
                self._ended(received[0]["ended"])
        with self._lock:
            if not self._closing.is_set():
                self._control = None
            orders, self._orders = self._orders, {}
        for _, ended in orders.values():
            ended.set()
        control.close()
        if not self._closing.is_set():
            process.wait()

    def _ended(self, request_id: str) -> None:
        with self._lock:
            _, ended = self._orders.pop(request_id)
        ended.set()
