"""The emulator as a process: it holds its folder, answers until it is told to end, and leaves nothing behind.

Started in the background it reports over a pipe when it answers or why it cannot, so that the starter neither polls nor
guesses.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn
from urllib.parse import urlsplit

from emulator import runtime
from emulator.runtime import REPORT_VARIABLE, DataDirError, StartError
from emulator.settings import Settings, SettingsError


def serve(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Be the emulator of ``settings.data_dir`` until a signal ends it; ``on_ready`` gets the URL once it answers.

    Raises:
        StartError, DataDirError, SettingsError: it cannot start.
        SystemExit: a signal ended it, after an orderly close.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    with runtime.lock(settings.data_dir):
        try:
            _run(settings, on_ready)
        finally:
            runtime.retract(settings.data_dir)


def main() -> int:
    """Be started by ``emulator.control.start``: settings come from the environment, the outcome goes to the pipe."""
    report = os.fdopen(int(os.environ.pop(REPORT_VARIABLE)), "w")
    os.set_inheritable(report.fileno(), False)

    def tell(**outcome: str) -> None:
        if not report.closed:
            with report:
                report.write(json.dumps(outcome) + "\n")

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    try:
        serve(Settings.load(), lambda url: tell(url=url))
    except (StartError, DataDirError, SettingsError) as error:
        tell(error=str(error))
        with suppress(OSError):  # the log's disk may be full
            print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def _run(settings: Settings, on_ready: Callable[[str], None]) -> None:
    from emulator.server import run

    def ready(url: str) -> None:
        runtime.publish(settings.data_dir, url, urlsplit(url).port or 0)
        on_ready(url)

    try:
        run(settings, ready)
    except (sqlite3.Error, OSError) as error:
        raise StartError(
            f"The emulator cannot use its state in {settings.data_dir}: {error}."
            " Make room on the disk or fix the folder's permissions, or use another: --data-dir DIR"
        ) from error


def _leave(number: int, _: object) -> NoReturn:
    """End by unwinding, so that every ``finally`` runs. The server re-raises the signal here after its own close."""
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
