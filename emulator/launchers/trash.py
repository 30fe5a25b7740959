"""Folders that are no longer needed, removed aside: some file systems take milliseconds for each folder removed."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import shutil
import threading
from pathlib import Path


class Trash:
    """Takes folders out of the way at once and removes them in a thread of its own; one that is killed starts over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = itertools.count()
        self._queue: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            self._remove_later(left)

    def take(self, path: Path) -> None:
        """Make ``path`` disappear, if it is there."""
        target = self._folder / f"{os.getpid()}-{next(self._names)}"
        with contextlib.suppress(OSError):
            path.rmdir()  # an empty one is not worth a thread
            return
        try:
            path.rename(target)
        except FileNotFoundError:
            return
        except OSError:  # on another file system
            remove_tree(path)
            return
        self._remove_later(target)

    def close(self) -> None:
        """Until everything is removed."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _remove_later(self, path: Path) -> None:
        self._queue.put(path)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="trash", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (path := self._queue.get()) is not None:
            remove_tree(path)


def remove_tree(folder: Path) -> None:
    """Remove a folder that a job wrote, as far as possible: programs and overlays leave folders, one in another, that
    not even their owner may enter.
    """
    try:
        shutil.rmtree(folder)
    except OSError:
        open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)


def open_up(folder: Path) -> None:
    """Let the owner enter and change a folder and every folder below it."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
    for path, names, _ in os.walk(folder):  # from the top: a folder is opened before it is walked
        for name in names:
            with contextlib.suppress(OSError):
                if not (inner := Path(path, name)).is_symlink():
                    inner.chmod(0o700)
