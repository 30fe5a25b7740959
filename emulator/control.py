"""Start, stop, ask and clear the emulator of a folder, from another process."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from emulator import runtime
from emulator.runtime import REPORT_VARIABLE, DataDirError, Running, StartError
from emulator.settings import Settings

START_TIMEOUT = 120.0
"""Seconds an emulator has to answer; it first takes up what an earlier one left unfinished."""
STOP_GRACE = 20.0
"""Seconds an emulator has to end its jobs and itself before it is killed."""
STUDIO_LOG = "studio.log"
MAX_LOG_BYTES = 8 << 20
"""A start puts a longer log aside, in place of the one before."""
STATE = (
    "state.db*",
    "objects",
    "images",
    "logs",
    "jobs",
    "functions",
    "aws-config",
    "sandbox",
    "sagemaker-sdk.yaml",
    f"{runtime.LOG}*",
    STUDIO_LOG,
    f"{runtime.RUNTIME}*",
)
"""What an emulator keeps in its folder besides the lock."""


class ControlError(RuntimeError):
    """A running emulator did not do what it was asked to; the message says why."""


def start(settings: Settings) -> Running:
    """Start the emulator in the background and return once it answers.

    Raises:
        StartError, DataDirError: it cannot start; AlreadyRunning is one of them.
    """
    log_path = settings.data_dir / runtime.LOG
    readable, writable = os.pipe()
    with os.fdopen(readable, "rb") as report, _open_log(log_path) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "emulator.daemon"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | settings.environment() | {REPORT_VARIABLE: str(writable)},
            pass_fds=(writable,),
            start_new_session=True,
        )
        os.close(writable)
        outcome = _outcome(report)
    if "url" not in outcome:
        _signal(process.pid, signal.SIGKILL)
        process.wait()
        raise StartError(outcome.get("error") or _post_mortem(log_path))
    process.returncode = 0  # it lives on, on purpose: nobody here waits for it
    found = runtime.running(settings.data_dir)
    if found is None or health(outcome["url"]) is None:
        raise StartError(_post_mortem(log_path))
    return found


def answering(data_dir: Path, seconds: float) -> Running | None:
    """The folder's emulator, waited for until it answers or is gone: one that was killed holds its folder, and the
    file that says where it answered, a moment longer. Its ``url`` is empty if it does not answer in time.
    """
    deadline = time.monotonic() + seconds
    while (found := runtime.running(data_dir)) and not (found.url and health(found.url)):
        if time.monotonic() > deadline:
            return replace(found, url="")
        time.sleep(0.02)
    return found


def stop(data_dir: Path, grace: float = STOP_GRACE) -> Running | None:
    """End the folder's emulator with its jobs and wait until it is gone; None if there was none.

    Raises:
        DataDirError: it is still there after SIGKILL.
    """
    found = runtime.running(data_dir)
    if found is None:
        return None
    _signal(found.pid, signal.SIGTERM)
    if not runtime.wait_until_gone(data_dir, grace):
        _signal(found.pid, signal.SIGKILL)
        if not runtime.wait_until_gone(data_dir, STOP_GRACE):
            raise DataDirError(f"The emulator of {data_dir} does not end. What holds it: ps -fp {found.pid}")
    return found


def start_studio(data_dir: Path, environment: dict[str, str], pid: int) -> str:
    """Start the pipeline view in the background and return where it is, in its own words.

    It is a client like any other, so it is run as a command, with the environment of a client.

    Raises:
        StartError: it is not installed, or it cannot start.
    """
    command = Path(sys.executable).with_name("studio")
    if not command.exists():
        raise StartError(f"There is no {command}. Install the extra: pip install 'sagemaker-pipelines[studio]'")
    with (data_dir / STUDIO_LOG).open("wb") as log:
        process = subprocess.Popen(
            [command, "--while-process", str(pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    with process.stdout or BytesIO() as said:
        line = said.readline().decode().strip()
    if not line:
        process.wait()
        raise StartError(f"Studio ended at once. {(data_dir / STUDIO_LOG).read_text().strip()}")
    process.returncode = 0  # it lives on, on purpose: nobody here waits for it
    return line


def health(url: str, timeout: float = 5.0) -> dict[str, Any] | None:
    """What the emulator at ``url`` says of itself, None if it does not answer."""
    try:
        status, document = _ask(url, "GET", "/_emulator/health", timeout=timeout)
    except ControlError:
        return None
    return document if status == 200 else None


def interrupt(url: str, job: str, seconds: float) -> str:
    """Take the spot instances of a training job (name or ARN) away for some seconds; the job's ARN.

    Raises:
        ControlError: the emulator refuses, or does not answer.
    """
    status, document = _ask(url, "POST", "/_emulator/interrupt", {"job": job, "seconds": seconds})
    if status != 200:
        raise ControlError(document.get("message") or f"The emulator at {url} answers with status {status}.")
    return str(document["arn"])


def _ask(
    url: str, method: str, path: str, document: dict[str, Any] | None = None, timeout: float = 5.0
) -> tuple[int, dict[str, Any]]:
    """Status and document of the answer to a request of the emulator's own, which AWS does not have.

    Raises:
        ControlError: there is no answer, or it is no JSON object.
    """
    from http.client import HTTPConnection, HTTPException

    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    try:
        body = None if document is None else json.dumps(document)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        raise ControlError(f"The emulator at {url} does not answer: {error}") from error
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise ControlError(f"What answers at {url} is no emulator.")
    return response.status, answer


def reset(data_dir: Path) -> None:
    """Delete the folder's state; the lock file stays, as the thing to hold meanwhile.

    Raises:
        AlreadyRunning: an emulator uses the folder.
        DataDirError: something cannot be deleted.
    """
    from emulator.jobs.tree import remove_tree

    with runtime.lock(data_dir), runtime.writing(data_dir):
        for path in (path for pattern in STATE for path in data_dir.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink(missing_ok=True)


def is_data_dir(data_dir: Path) -> bool:
    """Whether an emulator ever used the folder, so that a reset deletes nobody else's files."""
    return (data_dir / runtime.LOCK).is_file()


def size(data_dir: Path) -> int:
    """Bytes of all files in the folder, a hard-linked file once."""
    files = {}
    for folder, _, names in os.walk(data_dir):
        for name in names:
            with suppress(FileNotFoundError, PermissionError):
                status = os.lstat(Path(folder, name))
                files[status.st_dev, status.st_ino] = status.st_size
    return sum(files.values())


def busy(data_dir: Path) -> dict[str, int]:
    """How many executions and jobs of each kind are under way, read from the state without touching it."""
    import sqlite3

    database = data_dir / "state.db"
    if not database.exists():
        return {}
    connection = sqlite3.connect(f"file:{database.resolve()}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT kind, count(*) FROM resources WHERE status IN ('Executing', 'InProgress', 'Stopping')"
            " GROUP BY kind ORDER BY kind"
        ).fetchall()
        return dict(rows)
    except sqlite3.DatabaseError:  # the emulator itself says what is wrong with its state when it starts
        return {}
    finally:
        connection.close()


def _open_log(path: Path) -> BinaryIO:
    with runtime.writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(f"{path}.1")
        return path.open("ab")


def _outcome(report: BinaryIO) -> dict[str, str]:
    """What the daemon says of its start: ``url`` or ``error``, or nothing if it died or took too long."""
    ready, _, _ = select.select([report], [], [], START_TIMEOUT)
    line = report.readline() if ready else b""
    outcome: dict[str, str] = json.loads(line or b"{}")
    return outcome


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal; SIGKILL also to its group where it leads one, as it cannot end its children any more."""
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _post_mortem(log_path: Path) -> str:
    lines = log_path.read_text(errors="replace").splitlines()[-15:] or ["(empty: is the disk full?)"]
    return "\n".join(
        [f"The emulator ended before it answered. The end of {log_path}:", *(f"  {line}" for line in lines)]
    )
