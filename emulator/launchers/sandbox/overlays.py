"""Folders that are written to without being changed: overlays, each with an upper folder that takes what is written."""

from __future__ import annotations

import os
import shutil
import stat

from . import kernel


class Overlays:
    """Mounts overlays whose upper folders lie at ``disk``, or in memory where that disk cannot hold them."""

    def __init__(self, disk: str, memory: str) -> None:
        """``disk`` is made if absent; ``memory``: an empty folder to mount a tmpfs on."""
        self._base = disk
        self._memory = memory
        self._count = 0
        self.uppers: list[str] = []

    @property
    def in_memory(self) -> bool:
        return self._base == self._memory

    def mount(self, target: str, lower: list[str], upper: str | None = None) -> None:
        """Show ``lower`` (uppermost first) at ``target``; ``upper`` is a folder on the disk for what is written."""
        try:
            self._mount(target, lower, None if self.in_memory else upper)
        except OSError:
            if self._count or self.in_memory:  # the first one decides: is the disk able to hold upper folders?
                raise
            kernel.mount("upper", self._memory, "tmpfs", kernel.MS_NODEV, "mode=0755")
            self._base = self._memory
            self._mount(target, lower, None)
        self._count += 1

    def _mount(self, target: str, lower: list[str], upper: str | None) -> None:
        folder = f"{self._base}/{self._count}"
        os.makedirs(f"{folder}/work")
        if upper is None:
            upper = f"{folder}/upper"
            os.mkdir(upper)
            shutil.copystat(lower[-1], upper)  # an overlay shows the uppermost folder's mode
        kernel.overlay(target, lower, upper, f"{folder}/work")
        self.uppers.append(upper)


def state_of(upper: str) -> list[object] | None:
    """What tells whether an upper folder was written to: its own mode and attributes; None if anything is in it.

    Raises:
        OSError: it cannot be looked into.
    """
    with os.scandir(upper) as entries:
        if any(entries):
            return None
    return [stat.S_IMODE(os.lstat(upper).st_mode), sorted(os.listxattr(upper, follow_symlinks=False))]
