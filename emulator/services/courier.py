"""The thread that brings events, schedules and deliveries on their way; everything it works on is in the database."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from emulator.services.delivery import Deliveries
from emulator.services.events import emission
from emulator.services.firing import fire_schedule
from emulator.services.s3 import notifying

if TYPE_CHECKING:
    from emulator.services.context import App
    from emulator.store.resources import Resource

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS timetable (arn TEXT PRIMARY KEY, due REAL NOT NULL, origin REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS timetable_due ON timetable (due)",
)
_POLL_SECONDS = 0.2
"""How soon the status of a step, which nobody announces, becomes an event while there is a rule."""
_IDLE_SECONDS = 3600.0
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Courier:
    """``wake`` may be called from any thread."""

    def __init__(self, app: App) -> None:
        self.deliveries = Deliveries(app)
        self._app = app
        self._database = app.resources.database
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        with self._database.transaction() as connection:
            for statement in (*SCHEMA, *emission.SCHEMA, *notifying.SCHEMA):
                connection.execute(statement)
        app.resources.subscribe(self._changed)
        app.objects.events.subscribe(self.wake)

    def plan(self, arn: str, due: float | None, origin: float) -> None:
        """Fire a rule or schedule at a time (Unix seconds); None: not any more. Rates count from ``origin``."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM timetable WHERE arn = ?", (arn,))
            if due is not None:
                connection.execute("INSERT INTO timetable VALUES (?, ?, ?)", (arn, due, origin))

    def wake(self) -> None:
        self._woken.set()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _changed(self, resource: Resource) -> None:
        if resource.kind in emission.KINDS and emission.wanted(self._app):
            self._woken.set()

    def _work(self) -> None:
        pause = 0.0
        while not self._closed.is_set():
            self._woken.wait(pause)
            self._woken.clear()
            if self._closed.is_set():
                return
            try:
                self.step()
                pause = self._pause()
            except Exception:  # noqa: BLE001 — the boundary: the thread goes on, and what it stumbled over is in the log
                _log.exception("deliveries wait for %s s", _RETRY_SECONDS)
                pause = _RETRY_SECONDS

    def step(self) -> None:
        """Everything that is due now."""
        emission.emit(self._app, self.deliveries)
        notifying.notify(self._app, self.deliveries)
        self._fire()
        self.deliveries.carry_out()

    def _fire(self) -> None:
        """Each schedule whose time has come fires once, however often it came while no emulator was running."""
        now = time.time()
        for row in self._database.read("SELECT * FROM timetable WHERE due <= ? ORDER BY due", (now,)):
            with self._database.transaction():
                due = fire_schedule(self._app, self.deliveries, row["arn"], row["due"], row["origin"], now)
                self.plan(row["arn"], due, row["origin"])

    def _pause(self) -> float:
        row = self._database.read_one("SELECT min(due) AS due FROM timetable")
        times = [row["due"] if row else None, self.deliveries.next_due()]
        pause = min([moment - time.time() for moment in times if moment is not None], default=_IDLE_SECONDS)
        if emission.wanted(self._app):
            pause = min(pause, _POLL_SECONDS)
        return max(0.0, min(pause, _IDLE_SECONDS))
