"""One thread that does what it is told, in order, now or later."""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

Task: TypeAlias = Callable[[], None]

_log = logging.getLogger(__name__)


class Scheduler:
    """Tasks are posted from any thread and run one after another in the scheduler's own."""

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Task]] = []
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def post(self, task: Task) -> None:
        """Run a task as soon as those before it are done."""
        self._tasks.put(task)

    def later(self, seconds: float, task: Task) -> None:
        """Run a task after a while; call it from a task."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), task))

    def close(self) -> None:
        """End after the task that runs now; the others are forgotten."""
        if not self._thread.is_alive():
            return
        self._tasks.put(None)
        self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=self._patience())
            except queue.Empty:
                task = heapq.heappop(self._timers)[2]
            if task is None:
                return
            try:
                task()
            except Exception:  # noqa: BLE001 - the thread outlives a fault; the log has it
                _log.exception("a task of the %s failed", self._thread.name)

    def _patience(self) -> float | None:
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
