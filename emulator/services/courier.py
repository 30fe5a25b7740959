"""The thread that brings events, schedules and deliveries on their way; everything it works on is in the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from emulator.services.delivery import Deliveries
from emulator.services.events import emission
from emulator.services.firing import fire_schedule
from emulator.services.s3 import notifying
from emulator.services.worker import IDLE_SECONDS, Worker

if TYPE_CHECKING:
    from emulator.services.context import App
    from emulator.store.resources import Resource

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS timetable (arn TEXT PRIMARY KEY, due REAL NOT NULL, origin REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS timetable_due ON timetable (due)",
)
_POLL_SECONDS = 0.2
"""How soon the status of a step, which nobody announces, becomes an event while there is a rule."""


class Courier(Worker):
    def __init__(self, app: App) -> None:
        super().__init__("courier")
        self.deliveries = Deliveries(app)
        self._app = app
        self._database = app.resources.database
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

    def _changed(self, resource: Resource) -> None:
        if resource.kind in emission.KINDS and emission.wanted(self._app):
            self.wake()

    def work(self) -> float:
        self.step()
        return self._pause()

    def step(self) -> None:
        """Everything that is due now."""
        emission.emit(self._app, self.deliveries)
        notifying.notify(self._app, self.deliveries)
        try:
            self._fire()
        finally:
            self.deliveries.carry_out()

    def _fire(self) -> None:
        """Each schedule whose time has come fires once, however often it came while no emulator was running.

        One that fails does not hold up those that are due after it.
        """
        now = time.time()
        failure: Exception | None = None
        for row in self._database.read("SELECT * FROM timetable WHERE due <= ? ORDER BY due", (now,)):
            try:
                with self._database.transaction():
                    due = fire_schedule(self._app, self.deliveries, row["arn"], row["due"], row["origin"], now)
                    self.plan(row["arn"], due, row["origin"])
            except Exception as error:  # noqa: BLE001 — raised below, once the others had their turn
                failure = error
        if failure is not None:
            raise failure

    def _pause(self) -> float:
        row = self._database.read_one("SELECT min(due) AS due FROM timetable")
        times = [row["due"] if row else None, self.deliveries.next_due()]
        pause = min([moment - time.time() for moment in times if moment is not None], default=IDLE_SECONDS)
        if emission.wanted(self._app):
            pause = min(pause, _POLL_SECONDS)
        return max(0.0, min(pause, IDLE_SECONDS))
