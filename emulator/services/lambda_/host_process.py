"""The process that runs functions. It lives as long as the emulator, and then until what must not run twice has ended.

Started as ``python -m`` with one end of a socket; an order comes with the descriptor that holds its claim. As it is
the parent of the sandboxes, they do not notice that the emulator has died.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

from emulator.images.engine import NAMES
from emulator.launchers.holding import LOCK, hold, left_in
from emulator.launchers.sandbox import wire
from emulator.launchers.selection import select_launcher
from emulator.launchers.trash import remove_tree
from emulator.services.lambda_.order import Order
from emulator.services.lambda_.run_folder import Outcome, RunFolder
from emulator.services.lambda_.sandbox import Sandbox
from emulator.settings import Settings

_log = logging.getLogger(__name__)


def main() -> None:
    """``argv``: the number of the socket's descriptor, and the folder of all such processes."""
    settings, control = Settings.load(), socket.socket(fileno=int(sys.argv[1]))
    folders = Path(sys.argv[2])
    for left in left_in(folders):
        remove_tree(left)
    own = folders / str(os.getpid())
    own.mkdir(parents=True, exist_ok=True)
    lock = hold(own / LOCK)
    isolation = "auto" if settings.isolation in NAMES else settings.isolation  # functions have no image
    launcher = select_launcher(replace(settings, data_dir=own, isolation=isolation))
    try:
        HostProcess(control, Sandbox(launcher, settings.cache_dir)).serve()
    finally:
        launcher.close()
        remove_tree(own)
        os.close(lock)


class HostProcess:
    def __init__(self, control: socket.socket, sandbox: Sandbox) -> None:
        self._control = control
        self._sandbox = sandbox
        self._sending = threading.Lock()

    def serve(self) -> None:
        """Until the emulator has gone and nothing is left to do."""
        threads: set[threading.Thread] = set()
        while received := self._receive():
            order, claim = received
            thread = threading.Thread(target=self._run, args=(order, claim), name=order.id)
            threads = {other for other in threads if other.is_alive()} | {thread}
            thread.start()
        self._sandbox.leave()
        for thread in threads:
            thread.join()

    def _receive(self) -> tuple[Order, int] | None:
        try:
            received = wire.receive(self._control)
        except (OSError, EOFError):  # it died while it was sending: nobody was told that this runs
            return None
        if received is None:
            return None
        document, (claim,) = received
        return Order(**document), claim

    def _run(self, order: Order, claim: int) -> None:
        folder = RunFolder(Path(order.folder))
        try:
            outcome = self._sandbox.run(order)
            if outcome is not None:
                folder.conclude(outcome)
        except Exception as error:  # noqa: BLE001 - the log has it, and the caller an error
            _log.exception("the function of invocation %s could not be run", order.id)
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            with contextlib.suppress(OSError):  # the folder was deleted, by a reset, or the disk is full
                folder.conclude(Outcome(json.dumps(failure), True))
        finally:
            os.close(claim)
            self._tell(order)

    def _tell(self, order: Order) -> None:
        try:
            with self._sending:
                wire.send(self._control, {"ended": order.id})
        except OSError:
            _log.info("invocation %s has outlived the emulator", order.id)


if __name__ == "__main__":
    main()
