"""Where the drivers of one job's servers meet, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.jobs.kind import Running

_LOOK_SECONDS = 0.1
"""How often somebody who waits looks whether there is still something to wait for."""


class Servers:
    """The servers that have come, and those that are not needed any more, by the names of their hosts."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._come: dict[str, Running] = {}
        self._done: set[str] = set()

    def come(self, running: Running) -> None:
        with self._changed:
            self._come[running.host.name] = running
            self._changed.notify_all()

    def done(self, name: str) -> None:
        with self._changed:
            self._done.add(name)
            self._changed.notify_all()

    def await_come(self, names: Iterable[str], given_up: Callable[[], bool]) -> list[Running]:
        """The servers of these hosts; fewer if that is given up."""
        wanted = list(names)
        self._await(lambda: all(name in self._come for name in wanted), given_up)
        with self._changed:
            return [self._come[name] for name in wanted if name in self._come]

    def await_done(self, names: Iterable[str], given_up: Callable[[], bool]) -> None:
        """Until these are not needed any more, or that is given up."""
        wanted = set(names)
        self._await(lambda: wanted <= self._done, given_up)

    def _await(self, reached: Callable[[], bool], given_up: Callable[[], bool]) -> None:
        with self._changed:
            while not self._changed.wait_for(reached, _LOOK_SECONDS):
                if given_up():
                    return
