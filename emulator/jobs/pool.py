"""A few threads that are kept for the next job.

Unlike ``concurrent.futures`` its threads are daemons: an emulator that is told to stop does not wait for an image that
is being built.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Ticket:
    """A place in the line of a pool."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self._taken = threading.Lock()

    def cancel(self) -> bool:
        """Leave the line; False if the work has begun. Whoever gets True is the only one to have the work."""
        return self._taken.acquire(blocking=False)


class Pool:
    """Runs work in the order it came, ``size`` pieces at a time."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._line: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], None]) -> Ticket:
        """Run ``work`` when its turn comes; once the pool is closed, never."""
        ticket = Ticket(work)
        with self._changed:
            self._line.append(ticket)
            if self._idle < len(self._line) and len(self._threads) < self._size and not self._closed:
                thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
            else:
                self._changed.notify()
        return ticket

    def close(self, seconds: float) -> None:
        """Begin nothing more and wait for what is running, but not for ever."""
        with self._changed:
            self._closed = True
            self._line.clear()
            self._changed.notify_all()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _serve(self) -> None:
        while (ticket := self._next()) is not None:
            if ticket.cancel():
                try:
                    ticket.work()
                except Exception:
                    logger.exception("A thread of %s met a fault inside the emulator", self._name)

    def _next(self) -> Ticket | None:
        with self._changed:
            while not self._line:
                if self._closed:
                    return None
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            return None if self._closed else self._line.popleft()
