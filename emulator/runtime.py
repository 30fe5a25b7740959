"""Who runs on a data folder: the lock that one emulator holds, and the file that says where it answers.

The lock is an ``flock`` that the kernel drops with the process, however it dies. So a lock that can be taken means
that nobody runs, whatever files and process ids a ``kill -9`` left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

LOCK = "emulator.lock"
RUNTIME = "emulator.json"
LOG = "emulator.log"
_PID_WIDTH = 16


REPORT_VARIABLE = "EMULATOR_REPORT_FD"
"""Names the pipe on which a daemon reports how its start went, one JSON line: ``{"url": …}`` or ``{"error": …}``."""


class StartError(Exception):
    """The emulator cannot start; the message says why and what to do."""


class DataDirError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class AlreadyRunning(DataDirError):
    """Another emulator holds the folder's lock."""


@dataclass(frozen=True, slots=True)
class Running:
    """An emulator that holds a folder. ``url`` is empty and ``started`` 0 until it answers."""

    pid: int
    url: str = ""
    port: int = 0
    started: float = 0.0


@contextmanager
def lock(data_dir: Path) -> Iterator[None]:
    """Hold the folder as its only emulator; makes the folder if it is not there.

    Raises:
        AlreadyRunning: another emulator holds it.
        DataDirError: the folder cannot be made or written.
    """
    with writing(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _take(descriptor):
            holder = running(data_dir)
            where = f" at {holder.url} (process {holder.pid})" if holder and holder.url else ""
            raise AlreadyRunning(
                f"Another emulator{where} uses {data_dir}. Two on one folder would destroy each other's state."
                f" Stop it: emulator stop --data-dir {data_dir} -- or give this one a folder: --data-dir DIR"
            )
        with writing(data_dir):
            (data_dir / RUNTIME).unlink(missing_ok=True)  # of an emulator that was killed
            os.pwrite(descriptor, f"{os.getpid():<{_PID_WIDTH}}".encode(), 0)  # in one piece, for those who look
        yield
    finally:
        os.close(descriptor)


def publish(data_dir: Path, url: str, port: int) -> None:
    """Say where the emulator answers; call it while holding the lock."""
    document = asdict(Running(os.getpid(), url, port, time.time()))
    scratch = data_dir / f"{RUNTIME}.new"
    scratch.write_text(json.dumps(document) + "\n")
    scratch.replace(data_dir / RUNTIME)


def retract(data_dir: Path) -> None:
    """Take back what ``publish`` said; call it while holding the lock."""
    (data_dir / RUNTIME).unlink(missing_ok=True)


def running(data_dir: Path) -> Running | None:
    """The emulator that holds the folder now, or None."""
    try:
        descriptor = os.open(data_dir / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise DataDirError(
            f"Cannot read {data_dir / LOCK}: {error.strerror}. Use another folder: --data-dir DIR"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _published(data_dir) or Running(_holder(descriptor))
    else:
        return None
    finally:
        os.close(descriptor)


def wait_until_gone(data_dir: Path, seconds: float) -> bool:
    """Wait for the folder's emulator to end; False if it is still there after ``seconds``."""
    deadline = time.monotonic() + seconds
    while running(data_dir):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _take(descriptor: int) -> bool:
    """Take the lock. ``running`` holds it for an instant to look, which is no reason to give up."""
    for _ in range(25):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.01)
    return False


def _holder(descriptor: int) -> int:
    """Who holds the lock; it writes its id right after it took the lock for the first time."""
    for _ in range(100):
        if text := os.pread(descriptor, _PID_WIDTH, 0):
            return int(text)
        time.sleep(0.01)
    raise DataDirError("The lock of the folder is held by a process that does not say which it is: lsof says it")


def _published(data_dir: Path) -> Running | None:
    try:
        return Running(**json.loads((data_dir / RUNTIME).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


@contextmanager
def writing(data_dir: Path) -> Iterator[None]:
    """Turn an error of the file system into one that names the folder and the way out."""
    try:
        yield
    except OSError as error:
        raise DataDirError(
            f"Cannot use {data_dir} for the emulator's state: {error.strerror}."
            " Make room or fix its permissions, or use another folder: --data-dir DIR"
        ) from error
