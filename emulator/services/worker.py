"""A thread that does what is due, sleeps until it is woken or its time comes, and looks again."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

RETRY_SECONDS = 1.0
IDLE_SECONDS = 3600.0

_log = logging.getLogger(__name__)


class Worker(ABC):
    """Works from ``start`` to ``close``; ``wake`` may be called from any thread. All that it works on is stored."""

    def __init__(self, name: str) -> None:
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def wake(self) -> None:
        self._woken.set()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def work(self) -> float:
        """Do everything that is due; the seconds until it is worth to look again."""

    def _work(self) -> None:
        pause = 0.0
        while not self._closed.is_set():
            self._woken.wait(pause)
            self._woken.clear()
            if self._closed.is_set():
                return
            try:
                pause = self.work()
            except Exception:  # noqa: BLE001 — the boundary: the thread goes on, and what it stumbled over is in the log
                _log.exception("%s waits for %s s", self._thread.name, RETRY_SECONDS)
                pause = RETRY_SECONDS
