"""Puts what running jobs measure into CloudWatch's metrics, every now and then and once more at each one's end."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from emulator.jobs.metrics import LogMetrics
from emulator.jobs.usage import Gauge
from emulator.launchers.launcher import Exit
from emulator.store.metrics import Metric, Metrics, Point
from emulator.store.resources import Scope

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Subject:
    """One host of a job: its gauge, and its log where metrics are to be read from it."""

    scope: Scope
    gauge: Gauge
    log: LogMetrics | None = None
    exited: Exit | None = None
    """How the host's program ended; None before, and where nobody knows."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def points(self, now: float) -> list[tuple[Metric, Point]]:
        """What is to be told now; nothing any more once the end was told."""
        with self._lock:
            if self._ended:
                return []
            return [*self.gauge.sample(now), *(self.log.new_points() if self.log else ())]

    def last_points(self, now: float) -> list[tuple[Metric, Point]]:
        """What is left to tell."""
        with self._lock:
            self._ended = True
            last = self.gauge.last(self.exited, now) if self.exited is not None else ()
            return [*last, *(self.log.new_points(complete=True) if self.log else ())]


class Publisher:
    """One thread for all jobs, from the first one on. Methods may be called from any thread."""

    def __init__(self, metrics: Metrics, interval_seconds: float) -> None:
        """``interval_seconds``: 0 publishes at the end of each job only."""
        self._metrics = metrics
        self._interval = interval_seconds
        self._subjects: set[Subject] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def publishing(self, subject: Subject) -> Iterator[Subject]:
        """Publish what a host tells until the end of the block, and then what is left to tell."""
        self._watch(subject)
        try:
            yield subject
        finally:
            with self._lock:
                self._subjects.discard(subject)
            self._tell(subject, subject.last_points)

    def _watch(self, subject: Subject) -> None:
        with self._lock:
            self._subjects.add(subject)
            if self._thread is None and self._interval > 0 and not self._closing.is_set():
                self._thread = threading.Thread(target=self._publish, name="publisher", daemon=True)
                self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _publish(self) -> None:
        while not self._closing.wait(self._interval):
            with self._lock:
                subjects = list(self._subjects)
            for subject in subjects:
                self._tell(subject, subject.points)

    def _tell(self, subject: Subject, points: Callable[[float], list[tuple[Metric, Point]]]) -> None:
        """Whatever goes wrong here is no reason for a job to fail: the disk may be full, the log deleted."""
        try:
            if found := points(time.time()):
                self._metrics.put(subject.scope, found)
        except (OSError, sqlite3.OperationalError) as error:
            logger.error("Metrics of jobs are lost: %s", error)
        except Exception:
            logger.exception("Metrics of jobs are lost to a fault inside the emulator")
