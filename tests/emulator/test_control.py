from __future__ import annotations

import os
import re
import signal
import sqlite3
import threading
from fnmatch import fnmatch
from pathlib import Path

import pytest

from emulator import control, runtime
from emulator.runtime import AlreadyRunning
from emulator.store.database import Database
from emulator.store.resources import SCHEMA, Resource, Resources, Scope
from tests.emulator.test_runtime import holder


def used_folder(root: Path) -> Path:
    """A folder as an emulator leaves it, with a stranger's file in it."""
    with runtime.lock(root):
        for name in ("state.db", "state.db-wal", "emulator.log", "mine.txt"):
            (root / name).write_text("12345")
        (root / "jobs" / "j-1").mkdir(parents=True)
        (root / "jobs" / "j-1" / "out").write_text("12345")
    return root


def test_one_that_was_killed_but_is_not_gone_yet_does_not_count_as_running(tmp_path: Path) -> None:
    with holder(tmp_path, url="http://127.0.0.1:9") as process:  # nobody answers there
        found = control.answering(tmp_path, 0.1)
        assert found is not None
        assert (found.pid, found.url) == (process.pid, "")
        threading.Timer(0.2, process.kill).start()
        assert control.answering(tmp_path, 10) is None


def test_a_reset_deletes_the_state_and_nothing_else(tmp_path: Path) -> None:
    control.reset(used_folder(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [runtime.LOCK, "mine.txt"]


def test_a_reset_copes_with_folders_that_a_job_has_locked(tmp_path: Path) -> None:
    used_folder(tmp_path)
    (tmp_path / "jobs" / "j-1").chmod(0)
    control.reset(tmp_path)
    assert not (tmp_path / "jobs").exists()


def test_a_reset_follows_no_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    folder = used_folder(tmp_path / "data")
    (folder / "objects").symlink_to(outside)
    (folder / "jobs" / "link").symlink_to(outside)
    control.reset(folder)
    assert (outside / "precious").read_text() == "x"
    assert not (folder / "objects").is_symlink()


def test_a_folder_in_use_is_not_reset(tmp_path: Path) -> None:
    used_folder(tmp_path)
    with holder(tmp_path) as process:
        with pytest.raises(AlreadyRunning):
            control.reset(tmp_path)
        process.communicate()
    assert (tmp_path / "state.db").exists()


def test_only_a_folder_that_an_emulator_used_is_one(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert not control.is_data_dir(tmp_path / "home")
    assert control.is_data_dir(used_folder(tmp_path / "data"))


def test_the_size_counts_a_linked_file_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "c").write_bytes(b"x" * 24)
    assert control.size(tmp_path) == 1024
    assert control.size(tmp_path / "missing") == 0


def test_what_is_under_way_is_counted_by_kind(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db", SCHEMA)
    resources = Resources(database)
    for number, (kind, status) in enumerate(
        [
            ("processing-job", "InProgress"),
            ("processing-job", "Stopping"),
            ("processing-job", "Completed"),
            ("pipeline-execution", "Executing"),
        ]
    ):
        resources.insert(Resource(Scope("1", "r"), kind, str(number), f"arn:{number}", {}, status))
    assert control.busy(tmp_path) == {"pipeline-execution": 1, "processing-job": 2}
    assert control.busy(tmp_path / "missing") == {}
    database.close()


def test_a_state_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("not a database at all, however long it may be")
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "state.db").execute("SELECT 1 FROM sqlite_master")
    assert control.busy(tmp_path) == {}


def test_nobody_answers_where_nobody_listens() -> None:
    assert control.health("http://127.0.0.1:1") is None


def test_stopping_nobody_is_nothing(tmp_path: Path) -> None:
    assert control.stop(tmp_path) is None


def test_one_that_does_not_end_in_time_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGSTOP)  # deaf to SIGTERM
        os.waitpid(process.pid, os.WUNTRACED)
        stopped = control.stop(tmp_path, grace=0.2)
        assert process.wait() == -signal.SIGKILL
    assert stopped is not None
    assert stopped.pid == process.pid


def test_everything_that_the_emulator_keeps_in_its_folder_is_reset() -> None:
    """By what its sources say: ``data_dir / "name"``."""
    root = Path(control.__file__).parent
    sources = [path.read_text() for path in root.rglob("*.py") if path.name != "control.py"]
    kept = {name for text in sources for name in re.findall(r"data_dir(?:\.absolute\(\))? / \"([\w.-]+)\"", text)}
    assert {"objects", "functions"} <= kept
    assert [name for name in kept if not any(fnmatch(name, pattern) for pattern in control.STATE)] == []
