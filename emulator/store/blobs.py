"""Immutable files: written once, never changed, found by name.

A blob counts once an index row names it. Until then, and after the last row is gone, its file is an orphan: removed
at once in the ordinary course, and by ``sweep`` after a crash.
"""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_READ_ONLY = 0o444
_LINK_REFUSED = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP}


class BlobWriter:
    """A blob being written. Leaving the ``with`` block without ``finish`` removes what was written."""

    offset: int | None = None
    """Where in the file writing began, if the file is shared with other writers."""

    def __init__(self, name: str, path: str, flags: int = os.O_EXCL, mode: int = _READ_ONLY) -> None:
        self.name = name
        self.size = 0
        self._path = path
        self._finished = False
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, mode)

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._file, view)
            self.size += written
            view = view[written:]

    def append_file(self, path: str, start: int = 0, length: int | None = None) -> None:
        """Append another file's content, or a range of it, in the kernel where it can."""
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.lseek(source, start, os.SEEK_SET)
            self.size += _copy(source, self._file, os.fstat(source).st_size if length is None else length)
        finally:
            os.close(source)

    def finish(self) -> str:
        """End writing and keep the blob; its name."""
        self._close()
        self._finished = True
        return self.name

    def discard(self) -> None:
        self._close()
        if not self._finished:
            _unlink(self._path)

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


class Blobs:
    """The blob files under one folder; safe to share between threads.

    Names begin with a token of the process run, so that ``sweep`` never touches what this run is writing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base = str(root)
        self._run = secrets.token_hex(8)
        self._count = itertools.count()
        self._folders: set[str] = set()
        root.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> str:
        return f"{self._base}/{name[-2:]}/{name}"

    def open(self, name: str) -> BinaryIO:
        """Open a blob, unbuffered; it stays readable while open, even if it is removed.

        Raises:
            FileNotFoundError: it has been removed.
        """
        return open(self.path(name), "rb", buffering=0)  # noqa: PTH123 - the hot path; closed by the caller

    def create(self) -> BlobWriter:
        name, path = self._new()
        return BlobWriter(name, path)

    def adopt(self, source: Path) -> str:
        """Take in a regular file that nobody writes any more, by a second link, so that a crash before the blob counts
        loses nothing: whoever gives the file removes it once the blob does. A file on another file system, or with
        other links that could change it, is copied.
        """
        information = source.lstat()
        if not stat.S_ISREG(information.st_mode):
            raise ValueError(f"{source} is not a regular file, so it cannot be stored as an object")
        if information.st_nlink > 1:
            return self._copy_of(source)
        name, path = self._new()
        try:
            os.link(source, path, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _LINK_REFUSED:
                raise
            return self._copy_of(source)
        os.chmod(path, _READ_ONLY)  # noqa: PTH101 - a string path
        return name

    def duplicate(self, name: str) -> str:
        """A second name of the same content, without copying where the file system has hard links."""
        copy, path = self._new()
        place(self.path(name), path)
        return copy

    def join(self, pieces: Iterable[tuple[str, int, int]]) -> str:
        """A new blob of pieces of others, each given as (blob, start, length), one after another."""
        with self.create() as writer:
            for name, start, length in pieces:
                writer.append_file(self.path(name), start, length)
            return writer.finish()

    def name(self) -> str:
        """The name of a blob to come, whose folder is there."""
        return self._new()[0]

    def seal(self, name: str) -> None:
        """Make a file that was open to writers read-only, as blobs are."""
        os.chmod(self.path(name), _READ_ONLY)  # noqa: PTH101 - a string path

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            _unlink(self.path(name))

    def leftovers(self) -> Iterator[str]:
        """Names of every blob file that an earlier run has left."""
        for folder in self.root.iterdir():
            with os.scandir(folder) as entries:
                yield from (entry.name for entry in entries if not entry.name.startswith(self._run))

    def sweep(self, known: Callable[[str], bool]) -> int:
        """Remove files of earlier runs that ``known`` does not know; how many there were."""
        orphans = [name for name in self.leftovers() if not known(name)]
        self.remove(orphans)
        return len(orphans)

    def _new(self) -> tuple[str, str]:
        name = f"{self._run}{next(self._count):08x}"
        folder = name[-2:]
        if folder not in self._folders:
            (self.root / folder).mkdir(exist_ok=True)
            self._folders.add(folder)
        return name, self.path(name)

    def _copy_of(self, source: Path) -> str:
        with self.create() as writer:
            writer.append_file(str(source))
            return writer.finish()


def place(source: str, target: str) -> None:
    """Hard-link ``target`` to ``source``, or copy where links are impossible (other file system, too many links)."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _LINK_REFUSED:
            raise
        _copy_file(source, target)


def copy(source: str, target: str) -> None:
    """A file of its own with the blob's content.

    Raises:
        FileExistsError: ``target`` is there.
    """
    with open(source, "rb") as content, open(target, "xb") as file:  # noqa: PTH123  half the time, for small files
        shutil.copyfileobj(content, file)


def _copy_file(source: str, target: str) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError:
        _unlink(target)
        raise


def _copy(source: int, target: int, size: int) -> int:
    done = 0
    while done < size:
        copied = _copy_some(source, target, size - done)
        if copied == 0:
            break
        done += copied
    return done


def _copy_some(source: int, target: int, size: int) -> int:
    try:
        if hasattr(os, "copy_file_range"):
            return os.copy_file_range(source, target, size)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise
    return os.write(target, os.read(source, min(size, 1 << 20)))


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - a string path
