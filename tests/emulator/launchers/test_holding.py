import os
from pathlib import Path

from emulator.launchers.holding import LOCK, hold, is_held, left_in


def test_a_lock_is_held_while_its_file_is_open(tmp_path: Path) -> None:
    lock = hold(tmp_path / "lock")
    assert is_held(tmp_path / "lock")
    os.close(lock)
    assert not is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "none")


def test_a_folder_is_left_once_nobody_holds_its_lock(tmp_path: Path) -> None:
    assert list(left_in(tmp_path / "none")) == []
    for name in ("held", "left"):
        (tmp_path / name).mkdir()
    lock = hold(tmp_path / "held" / LOCK)
    assert list(left_in(tmp_path)) == [tmp_path / "left"]
    os.close(lock)
    assert sorted(left_in(tmp_path)) == [tmp_path / "held", tmp_path / "left"]
