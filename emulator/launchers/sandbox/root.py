"""A root that one job after another may have: the template under overlays, so that a job may write anywhere.

The two overlays of a root take milliseconds to make, and nothing to use again. So the warden keeps a root whose upper
folders are as empty after a job as before, and lets go of one that was written to. What is each job's own is never
part of it (``job_tree``).
"""

from __future__ import annotations

import os

from . import kernel
from .overlays import Overlays, state_of
from .template import Template

_OF_JOBS = ("/tmp/", "/opt/ml/")
"""What a job's own folders cover."""


class Root:
    """Mounted at ``place``, in the warden's mount namespace; a job uses it in a copy of that namespace."""

    def __init__(self, template: Template, number: int) -> None:
        self.place = f"{template.folder}/roots/{number}"
        self._memory = f"{template.folder}/uppers/{number}"
        self._template = template
        self._overlays = Overlays(f"{template.config['roots']}/{number}", self._memory)
        self.states: dict[str, object] = {}
        """Its upper folders as no job has seen them; none where they lie in memory, out of the emulator's sight."""

    def build(self) -> None:
        """Mount it.

        Raises:
            OSError: the machine refuses a mount, or the disk is full.
        """
        template = self._template
        for folder in (self.place, self._memory):
            os.mkdir(folder)
        self._overlays.mount(self.place, [template.skeleton])
        kernel.bind(f"{template.folder}/sys", f"{self.place}/sys")
        kernel.bind(f"{template.folder}/dev", f"{self.place}/dev")
        for path in template.shown:
            if not path.startswith(_OF_JOBS):
                template.show(path, self.place, self._overlays)
        if not self._overlays.in_memory:
            self.states = {upper: state_of(upper) for upper in self._overlays.uppers}

    @property
    def covered(self) -> list[str]:
        """The shown folders that each job has to be shown itself, because they lie in folders of its own."""
        return [path for path in self._template.shown if path.startswith(_OF_JOBS)]

    def close(self) -> None:
        """Unmount it, whatever of it is mounted; the upper folders on the disk stay."""
        for folder in (self.place, self._memory):
            if os.path.ismount(folder):
                kernel.unmount(folder)
            os.rmdir(folder)
