from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator import runtime
from emulator.runtime import AlreadyRunning, DataDirError

HOLDER = """
import pathlib, sys, time
from emulator import runtime
folder = pathlib.Path(sys.argv[1])
with runtime.lock(folder):
    if sys.argv[2]:
        runtime.publish(folder, sys.argv[2], 4570)
    print("held", flush=True)
    sys.stdin.read()
    if sys.argv[2]:
        runtime.retract(folder)
"""


@contextmanager
def holder(folder: Path, url: str = "http://127.0.0.1:4570") -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process


def test_nobody_runs_on_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert runtime.running(tmp_path / "missing") is None


def test_the_holder_is_known_with_its_address(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        found = runtime.running(tmp_path)
        process.communicate()
    assert found is not None
    assert (found.pid, found.url, found.port) == (process.pid, "http://127.0.0.1:4570", 4570)
    assert found.started > 0
    assert runtime.running(tmp_path) is None
    assert not (tmp_path / runtime.RUNTIME).exists()


def test_a_holder_that_does_not_answer_yet_is_known_by_its_process(tmp_path: Path) -> None:
    with holder(tmp_path, url="") as process:
        found = runtime.running(tmp_path)
        process.communicate()
    assert found is not None
    assert (found.pid, found.url) == (process.pid, "")


def test_a_second_holder_is_refused_with_the_first_ones_address(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with (
            pytest.raises(AlreadyRunning, match=f"http://127.0.0.1:4570 .process {process.pid}.*emulator stop"),
            runtime.lock(tmp_path),
        ):
            pass
        process.communicate()
    with runtime.lock(tmp_path):
        assert runtime.running(tmp_path) is not None


def test_looking_does_not_get_in_the_way_of_taking(tmp_path: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            runtime.running(tmp_path)

    looking = [threading.Thread(target=look) for _ in range(2)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(50):
            with runtime.lock(tmp_path):
                pass
    finally:
        stop.set()
        for thread in looking:
            thread.join()


def test_what_a_killed_holder_left_behind_counts_for_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
    left = json.loads((tmp_path / runtime.RUNTIME).read_text())
    assert left["pid"] == process.pid
    # Even if the number belongs to a living process again.
    (tmp_path / runtime.RUNTIME).write_text(json.dumps(left | {"pid": os.getpid()}))

    assert runtime.running(tmp_path) is None
    with runtime.lock(tmp_path):
        assert not (tmp_path / runtime.RUNTIME).exists()


def test_waiting_ends_with_the_holder_or_with_the_time(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert not runtime.wait_until_gone(tmp_path, 0.05)
        process.kill()
        assert runtime.wait_until_gone(tmp_path, 10)


@pytest.mark.parametrize("obstacle", ["file", "under a file"])
def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path, obstacle: str) -> None:
    (tmp_path / "taken").write_text("")
    folder = tmp_path / "taken" / ("inner" if obstacle == "under a file" else "")
    with pytest.raises(DataDirError, match=r"Cannot use .*taken.*--data-dir DIR"), runtime.lock(folder):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_explained(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataDirError, match=r"Permission denied.*--data-dir DIR"), runtime.lock(tmp_path):
        pass
