import os
import tempfile
from pathlib import Path

import pytest

from emulator.launchers.trash import Trash, remove_tree


def test_it_disappears_at_once_and_is_removed(tmp_path):
    trash = Trash(tmp_path / "trash")
    (tmp_path / "folder/below").mkdir(parents=True)
    trash.take(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    trash.close()
    assert list((tmp_path / "trash").iterdir()) == []


def test_what_is_not_there_is_no_error(tmp_path):
    trash = Trash(tmp_path / "trash")
    trash.take(tmp_path / "nothing")
    trash.close()
    assert list((tmp_path / "trash").iterdir()) == []


def test_what_an_emulator_that_was_killed_left_is_removed(tmp_path):
    (tmp_path / "trash/1-0/below").mkdir(parents=True)
    Trash(tmp_path / "trash").close()
    assert list((tmp_path / "trash").iterdir()) == []


def as_nobody(work):
    """Do ``work`` in a process of an ordinary user; True if it did not fail."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setuid(65534)
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes an ordinary user, which only root can")
def test_folders_that_not_even_their_owner_may_enter():
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, "folder")
        Path(base).chmod(0o777)

        def work():
            for name in ("locked", "read-only"):
                (folder / name / "below").mkdir(parents=True)
                (folder / name / "file").touch()
            (folder / "locked/below").chmod(0)
            (folder / "locked").chmod(0)
            (folder / "read-only").chmod(0o500)
            remove_tree(folder)

        assert as_nobody(work)
        assert not folder.exists()
