"""Which roots of a warden no job has written to, so that the next may have them; what was written goes to the trash."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.launchers.holding import LOCK, hold, left_in
from emulator.launchers.sandbox.overlays import state_of
from emulator.launchers.trash import Trash


@dataclass(frozen=True, slots=True)
class UsedRoot:
    """A root, by its number at its warden, that a job has or had."""

    number: int
    states: dict[str, Any]
    """Its upper folders with what ``state_of`` said of them before the job; none where the emulator cannot see them."""

    def untouched(self) -> bool:
        """Whether it is as it was before the job."""
        try:
            return bool(self.states) and all(state_of(upper) == state for upper, state in self.states.items())
        except OSError:
            return False


class Roots:
    """The roots of one warden. Thread-safe."""

    def __init__(self, folder: Path, trash: Trash) -> None:
        """``folder``: made if absent; the warden makes a folder per root below one of its own in it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.lock = hold(self.folder / LOCK)
        """Held by all who may still use a root: to be inherited by the warden and what it forks."""
        self._trash = trash
        self._numbers = itertools.count()
        self._free: list[int] = []
        self._guard = threading.Lock()

    def take(self) -> int:
        """The root for the next job: the one that was used last, else a new one."""
        with self._guard:
            return self._free.pop() if self._free else next(self._numbers)

    def keep(self, root: UsedRoot) -> None:
        with self._guard:
            self._free.append(root.number)

    def drop(self, root: UsedRoot) -> None:
        self._trash.take(self.folder / str(root.number))

    def close(self) -> None:
        """Remove them, unless somebody still uses one."""
        os.close(self.lock)
        remove_unused(self.folder.parent, self._trash)


def remove_unused(folder: Path, trash: Trash) -> None:
    """Remove the roots in ``folder`` of wardens that have gone, of this emulator or of one that was killed."""
    for path in left_in(folder):
        trash.take(path)
