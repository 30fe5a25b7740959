"""Metrics that programs log of a run (``sagemaker-metrics``): raw values with a step and a time, by resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from emulator.store.database import Database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS trial_metrics (id INTEGER PRIMARY KEY, resource TEXT NOT NULL, name TEXT NOT NULL,"
    " time REAL NOT NULL, step INTEGER, value REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS trial_metrics_by_name ON trial_metrics (resource, name, time)",
)


@dataclass(frozen=True, slots=True)
class Raw:
    """``time`` in Unix seconds; ``step`` is None where the program gave none."""

    time: float
    step: int | None
    value: float


class TrialMetrics:
    """The metrics of all resources, by ARN; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def put(self, resource: str, values: Iterable[tuple[str, Raw]]) -> None:
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO trial_metrics (resource, name, time, step, value) VALUES (?, ?, ?, ?, ?)",
                [(resource, name, raw.time, raw.step, raw.value) for name, raw in values],
            )

    def names(self, resource: str) -> list[str]:
        rows = self._database.read(
            "SELECT DISTINCT name FROM trial_metrics WHERE resource = ? ORDER BY name", (resource,)
        )
        return [row["name"] for row in rows]

    def values(self, resource: str, name: str) -> list[Raw]:
        """In order of time, and as they came where that is equal."""
        rows = self._database.read(
            "SELECT time, step, value FROM trial_metrics WHERE resource = ? AND name = ? ORDER BY time, id",
            (resource, name),
        )
        return [Raw(row["time"], row["step"], row["value"]) for row in rows]
