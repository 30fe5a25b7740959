"""Holding a file, and with it the folder it lies in: its lock ends with the last process that has the descriptor.

So whoever looks later, after whatever crash, sees whether somebody still uses the folder.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

LOCK = "lock"
"""The file that stands for a folder."""


def hold(path: Path) -> int:
    """Make and lock a file; the lock ends with the last copy of the descriptor."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def is_held(path: Path) -> bool:
    """Whether some process has the lock of a file; False where there is none."""
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def left_in(folder: Path) -> Iterator[Path]:
    """The folders in ``folder`` whose lock nobody holds, such as those of processes that were killed."""
    return (path for path in folder.glob("*") if not is_held(path / LOCK))
