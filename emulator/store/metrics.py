"""CloudWatch metrics: series by namespace, name and dimensions, and their points.

A point is a set of values of one moment and unit: how many, their sum, the least and the greatest. A single value is
such a set too, and known as single values by least and greatest being equal, which is what percentiles need.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.store.database import Database
from emulator.store.resources import Scope

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS metric_series (id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL,"
    " namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, last REAL NOT NULL,"
    " UNIQUE (account, region, namespace, name, dimensions))",
    "CREATE INDEX IF NOT EXISTS metric_series_last ON metric_series (last)",
    "CREATE TABLE IF NOT EXISTS metric_points (series INTEGER NOT NULL, time INTEGER NOT NULL, unit TEXT NOT NULL,"
    " count REAL NOT NULL, total REAL NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS metric_points_by_time ON metric_points (series, time)",
)
RETENTION_SECONDS = 455 * 86_400
"""How long CloudWatch keeps metrics (API reference, PutMetricData)."""

Dimensions = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    namespace: str
    name: str
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class Point:
    """``time`` in whole Unix seconds, CloudWatch's finest resolution."""

    time: int
    count: float
    total: float
    minimum: float
    maximum: float
    unit: str = "None"

    @classmethod
    def of(cls, moment: float, value: float, unit: str = "None", count: float = 1.0) -> Point:
        """A value, or one that was seen ``count`` times."""
        return cls(int(moment), count, value * count, value, value, unit)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which metrics to list. Of ``dimensions`` a metric must have all; None stands for any value."""

    namespace: str | None = None
    name: str | None = None
    dimensions: Mapping[str, str | None] | None = None
    active_since: float = 0.0


class Metrics:
    """All metrics of all accounts and regions; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)
            _forget(connection, time.time() - RETENTION_SECONDS)

    def put(self, scope: Scope, points: Iterable[tuple[Metric, Point]]) -> None:
        """Add points, all or none. It is cheaper where those of one metric share the ``Metric`` itself."""
        by_metric: dict[int, tuple[Metric, list[Point]]] = {}
        for metric, point in points:
            by_metric.setdefault(id(metric), (metric, []))[1].append(point)
        with self._database.transaction() as connection:
            for metric, own in by_metric.values():
                last = max(point.time for point in own)
                row = connection.execute(_UPSERT, (*_key(scope, metric), last)).fetchone()
                connection.executemany(
                    "INSERT INTO metric_points VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(row["id"], p.time, p.unit, p.count, p.total, p.minimum, p.maximum) for p in own],
                )

    def points(self, scope: Scope, metric: Metric, start: float, end: float, unit: str | None = None) -> list[Point]:
        """The points of a metric from ``start`` to before ``end``, in order of time."""
        rows = self._database.read(
            "SELECT p.* FROM metric_points p JOIN metric_series s ON s.id = p.series WHERE s.account = ?"
            " AND s.region = ? AND s.namespace = ? AND s.name = ? AND s.dimensions = ? AND p.time >= ? AND p.time < ?"
            " AND (? IS NULL OR p.unit = ?) ORDER BY p.time, p.rowid",
            (*_key(scope, metric), start, end, unit, unit),
        )
        return [
            Point(row["time"], row["count"], row["total"], row["minimum"], row["maximum"], row["unit"]) for row in rows
        ]

    def metrics(self, scope: Scope, wanted: Wanted, after: int, limit: int) -> tuple[list[Metric], int | None]:
        """A page of metrics behind position ``after`` (0 at first), and the position of the next page, if any."""
        clauses, values = _conditions(scope, wanted)
        rows = self._database.read(
            f"SELECT * FROM metric_series WHERE {' AND '.join(clauses)} AND id > ? ORDER BY id LIMIT ?",
            (*values, after, limit + 1),
        )
        found = [Metric(row["namespace"], row["name"], dict(json.loads(row["dimensions"]))) for row in rows[:limit]]
        return found, rows[limit - 1]["id"] if len(rows) > limit else None


_UPSERT = (
    "INSERT INTO metric_series (account, region, namespace, name, dimensions, last) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (account, region, namespace, name, dimensions) DO UPDATE SET last = max(last, excluded.last)"
    " RETURNING id"
)


def _key(scope: Scope, metric: Metric) -> tuple[str, ...]:
    dimensions = json.dumps(sorted(metric.dimensions.items()), ensure_ascii=False)
    return (scope.account, scope.region, metric.namespace, metric.name, dimensions)


def _conditions(scope: Scope, wanted: Wanted) -> tuple[list[str], Sequence[Any]]:
    clauses = ["account = ?", "region = ?", "last >= ?"]
    values: list[Any] = [scope.account, scope.region, wanted.active_since]
    for column, value in (("namespace", wanted.namespace), ("name", wanted.name)):
        if value is not None:
            clauses.append(f"{column} = ?")
            values.append(value)
    for name, value in (wanted.dimensions or {}).items():
        clauses.append(
            "EXISTS (SELECT 1 FROM json_each(dimensions) d WHERE json_extract(d.value, '$[0]') = ?"
            " AND (? IS NULL OR json_extract(d.value, '$[1]') = ?))"
        )
        values += [name, value, value]
    return clauses, values


def _forget(connection: sqlite3.Connection, before: float) -> None:
    """Drop the metrics that nothing was added to for so long."""
    old = "SELECT id FROM metric_series WHERE last < ?"
    connection.execute(f"DELETE FROM metric_points WHERE series IN ({old})", (before,))
    connection.execute("DELETE FROM metric_series WHERE last < ?", (before,))
