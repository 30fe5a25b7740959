"""Finding, starting and stopping the endpoint of an environment that is not AWS itself.

The commands of ``environments.toml`` are run in the checkout. The finding one prints the variables of the endpoint as
a JSON object and ends with 3 when nothing runs; ``AWS_ENDPOINT_URL`` in the environment goes before it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from pipelines.environments import Target
from pipelines.errors import EndpointError

NOT_RUNNING = 3


class EndpointLookup:
    """A running look-up of an endpoint's variables; it began when this was made and goes on beside other work."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._process = _spawn(target, target.endpoint.command) if needs_command(target) else None

    @cached_property
    def variables(self) -> dict[str, str]:
        """Variables of the endpoint; empty if those of this process, or AWS's ordinary ways, decide.

        Raises:
            EndpointError: no endpoint is running, or the command failed.
        """
        if self._answer is None:
            return {}
        code, output, complaint = self._answer
        if code == NOT_RUNNING:
            raise EndpointError(_not_running(self.target, complaint))
        if code:
            raise EndpointError(f"{_words(self.target.endpoint.command)} failed: {complaint.strip()}")
        return _parse(self.target, output)

    @property
    def is_running(self) -> bool:
        """Whether an endpoint runs, or none needs to."""
        return self._answer is None or self._answer[0] != NOT_RUNNING

    @cached_property
    def _answer(self) -> tuple[int, str, str] | None:
        """Exit code, output and complaint of the command, once it has ended."""
        if self._process is None:
            return None
        output, complaint = self._process.communicate()
        return self._process.returncode, output, complaint


def needs_command(target: Target) -> bool:
    """Whether the endpoint has to be asked for, as nothing in this process's environment names one."""
    return bool(target.endpoint.command) and not os.environ.get("AWS_ENDPOINT_URL")


@contextmanager
def running_endpoint(target: Target, *, keep: bool) -> Iterator[bool]:
    """Have the environment's endpoint running: one that runs already, or one started now and stopped in the end.

    Yields whether it was started. ``keep`` leaves it running. It is stopped on errors, Ctrl-C and SIGTERM, too.

    Raises:
        EndpointError: it cannot be started.
    """
    if EndpointLookup(target).is_running or not target.endpoint.start_command:
        yield False
        return
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        _run(target, target.endpoint.start_command)
        yield True
    except BaseException:
        with suppress(EndpointError):  # the first error is the one to tell
            _stop(target, keep)
        raise
    else:
        _stop(target, keep)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _stop(target: Target, keep: bool) -> None:
    """Stop the endpoint unless it is to be kept; a second Ctrl-C does not leave it half stopped."""
    if keep or not target.endpoint.stop_command:
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _run(target, target.endpoint.stop_command)
    finally:
        signal.signal(signal.SIGINT, previous)


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _run(target: Target, command: tuple[str, ...]) -> None:
    with _spawn(target, command) as process:
        output, complaint = process.communicate()
    if process.returncode:
        raise EndpointError(f"{_words(command)} failed with code {process.returncode}: {(complaint or output).strip()}")


def _spawn(target: Target, command: tuple[str, ...]) -> subprocess.Popen[str]:
    program = find_program(command[0])
    if program is None:
        raise EndpointError(
            f"environment {target.environment.name}: the command {command[0]!r} is not there; install the checkout "
            "(make venv), or set AWS_ENDPOINT_URL"
        )
    return subprocess.Popen(
        [program, *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=target.environment.root,
    )


def find_program(name: str) -> str | None:
    """A program on the PATH or beside this interpreter, so that a virtual environment need not be activated."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def _parse(target: Target, output: str) -> dict[str, str]:
    try:
        document = json.loads(output)
        return {str(name): value for name, value in document.items() if isinstance(value, str)}
    except (ValueError, AttributeError) as error:
        command = _words(target.endpoint.command)
        raise EndpointError(f"{command} printed no JSON object of variables: {output.strip()[:200]!r}") from error


def _not_running(target: Target, complaint: str) -> str:
    said = complaint.strip().removeprefix("Error: ") or "nothing is running"
    start = _words(target.endpoint.start_command)
    remedy = "" if not start or start in said else f" Start it: {start}"
    return f"environment {target.environment.name}: {said}{remedy}"


def _words(command: tuple[str, ...]) -> str:
    return " ".join(command)
