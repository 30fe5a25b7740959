from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from emulator.store import blobs as blobs_module
from emulator.store.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def write(blobs: Blobs, data: bytes) -> str:
    with blobs.create() as writer:
        writer.write(data)
        return writer.finish()


def read(blobs: Blobs, name: str) -> bytes:
    with blobs.open(name) as file:
        return file.read()


def files(blobs: Blobs) -> list[str]:
    return sorted(path.name for path in blobs.root.glob("*/*"))


def test_a_finished_blob_can_be_read_and_not_written(blobs: Blobs) -> None:
    name = write(blobs, b"hello")
    assert read(blobs, name) == b"hello"
    assert Path(blobs.path(name)).stat().st_mode & 0o777 == 0o444


def test_an_unfinished_blob_vanishes(blobs: Blobs) -> None:
    with blobs.create() as writer:
        writer.write(b"half")
    assert files(blobs) == []


def test_adopting_links_the_file(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"data")
    inode = source.stat().st_ino
    name = blobs.adopt(source)
    assert source.exists()
    assert Path(blobs.path(name)).stat().st_ino == inode


def test_a_file_with_other_links_is_copied(blobs: Blobs, tmp_path: Path) -> None:
    source, other = tmp_path / "source", tmp_path / "other"
    source.write_bytes(b"data")
    other.hardlink_to(source)
    name = blobs.adopt(source)
    other.write_bytes(b"changed")
    assert read(blobs, name) == b"data"


def test_a_symbolic_link_is_refused(blobs: Blobs, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"data")
    (tmp_path / "link").symlink_to(secret)
    with pytest.raises(ValueError, match="not a regular file"):
        blobs.adopt(tmp_path / "link")
    assert secret.exists()


def test_a_duplicate_outlives_the_original(blobs: Blobs) -> None:
    name = write(blobs, b"data")
    copy = blobs.duplicate(name)
    blobs.remove([name])
    assert read(blobs, copy) == b"data"


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.EMLINK])
def test_without_links_there_are_copies(blobs: Blobs, monkeypatch: pytest.MonkeyPatch, reason: int) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", refuse)
    name = write(blobs, b"data")
    copy = blobs.duplicate(name)
    assert Path(blobs.path(copy)).stat().st_ino != Path(blobs.path(name)).stat().st_ino
    assert read(blobs, copy) == b"data"


@pytest.mark.parametrize("kernel_copy", [True, False])
def test_joining_keeps_the_order(blobs: Blobs, monkeypatch: pytest.MonkeyPatch, kernel_copy: bool) -> None:
    if not kernel_copy:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    parts = [os.urandom(3_000_000), b"", b"tail"]
    name = blobs.join([(write(blobs, part), 0, len(part)) for part in parts])
    assert read(blobs, name) == b"".join(parts)


def test_a_full_disk_leaves_nothing(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(blobs_module.os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write(blobs, b"data")
    assert files(blobs) == []


def test_short_writes_are_continued(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    monkeypatch.setattr(blobs_module.os, "write", lambda file, data: whole(file, data[:3]))
    assert read(blobs, write(blobs, b"0123456789")) == b"0123456789"


def test_a_sweep_removes_what_nobody_knows_of_earlier_runs(blobs: Blobs) -> None:
    known, orphan = write(blobs, b"known"), write(blobs, b"orphan")
    later = Blobs(blobs.root)
    own = write(later, b"own")
    assert later.sweep(lambda name: name == known) == 1
    assert files(later) == sorted([known, own])
    with pytest.raises(FileNotFoundError):
        later.open(orphan)
