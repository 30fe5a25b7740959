"""The emulator as a process: it holds its folder, answers until it is told to end, and leaves nothing behind.

Started in the background it reports once over a pipe: ``{"url": …}`` when it answers, ``{"error": …}`` when it cannot,
so that the starter neither polls nor guesses.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from typing import NoReturn
from urllib.parse import urlsplit

from emulator import runtime
from emulator.runtime import DataDirError
from emulator.settings import Settings, SettingsError

REPORT_VARIABLE = "EMULATOR_REPORT_FD"


class StartError(Exception):
    """The emulator cannot start; the message says why and what to do."""


def serve(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Be the emulator of ``settings.data_dir`` until a signal ends it; ``on_ready`` gets the URL once it answers.

    Raises:
        StartError, DataDirError: it cannot start.
        SystemExit: a signal ended it, after an orderly close.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    with runtime.lock(settings.data_dir):
        check_port(settings.host, settings.port)
        try:
            _run(settings, on_ready)
        finally:
            runtime.retract(settings.data_dir)


def check_port(host: str, port: int) -> None:
    """Try the address before anything heavy starts.

    Raises:
        StartError: it is in use or cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(
                    f"Port {port} on {host} is in use by another program."
                    " Take any free port: emulator start --port 0 -- or name one: --port N"
                ) from error
            raise StartError(
                f"Cannot listen on {host} port {port}: {error.strerror}. Name another: --port N"
            ) from error
        except OverflowError as error:
            raise StartError(f"Port {port} does not exist; ports are 0 to 65535.") from error


def main() -> int:
    """Be started by ``emulator.control.start``: settings come from the environment, the outcome goes to the pipe."""
    report = os.fdopen(int(os.environ.pop(REPORT_VARIABLE)), "w")
    os.set_inheritable(report.fileno(), False)

    def tell(**outcome: str) -> None:
        if not report.closed:
            with report:
                json.dump(outcome, report)

    try:
        serve(Settings.load(), lambda url: tell(url=url))
    except (StartError, DataDirError, SettingsError) as error:
        print(error, file=sys.stderr)
        tell(error=str(error))
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
