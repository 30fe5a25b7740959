from __future__ import annotations

import time
from pathlib import Path

import pytest

from emulator.store.database import Database
from emulator.store.metrics import RETENTION_SECONDS, Metric, Metrics, Point, Wanted
from emulator.store.resources import SCHEMA, Scope

SCOPE = Scope("123456789012", "us-east-1")
LOSS = Metric("ns", "loss", {"Job": "j"})
NOW = int(time.time())


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.db", SCHEMA)


def names(metrics: Metrics, **wanted: object) -> list[str]:
    found, _ = metrics.metrics(SCOPE, Wanted(**wanted), 0, 100)  # type: ignore[arg-type]
    return [metric.name for metric in found]


def test_points_come_in_order_of_time_within_a_range(database: Database) -> None:
    metrics = Metrics(database)
    metrics.put(SCOPE, [(LOSS, Point.of(NOW + n, n)) for n in (3, 1, 2)])
    metrics.put(SCOPE, [(Metric("ns", "loss", {"Job": "other"}), Point.of(NOW, 9))])
    assert [p.total for p in metrics.points(SCOPE, LOSS, NOW, NOW + 10)] == [1, 2, 3]
    assert [p.total for p in metrics.points(SCOPE, LOSS, NOW + 2, NOW + 3)] == [2]
    assert metrics.points(Scope("1", "us-east-1"), LOSS, 0, NOW * 2) == []


def test_the_order_of_dimensions_does_not_matter(database: Database) -> None:
    metrics = Metrics(database)
    metrics.put(SCOPE, [(Metric("ns", "m", {"B": "2", "A": "1"}), Point.of(NOW, 1))])
    assert len(metrics.points(SCOPE, Metric("ns", "m", {"A": "1", "B": "2"}), 0, NOW + 1)) == 1
    assert names(metrics) == ["m"]


def test_awkward_names_are_names(database: Database) -> None:
    metrics = Metrics(database)
    for name in ('ü\', "x"]', "$[0]", "%", "a\nb"):
        metrics.put(SCOPE, [(Metric("ns", name, {name: name}), Point.of(NOW, 1))])
        assert names(metrics, dimensions={name: name}) == [name]


def test_what_nobody_added_to_for_long_is_forgotten_at_a_start(database: Database) -> None:
    metrics = Metrics(database)
    old = Metric("ns", "old", {})
    metrics.put(SCOPE, [(old, Point.of(NOW - RETENTION_SECONDS - 60, 1)), (LOSS, Point.of(NOW, 1))])
    assert names(metrics) == ["old", "loss"]
    assert names(Metrics(database)) == ["loss"]
    assert metrics.points(SCOPE, old, 0, NOW) == []


def test_pages_go_on_where_the_last_ended(database: Database) -> None:
    metrics = Metrics(database)
    metrics.put(SCOPE, [(Metric("ns", f"m{n}", {}), Point.of(NOW, n)) for n in range(5)])
    first, position = metrics.metrics(SCOPE, Wanted(), 0, 3)
    assert position is not None
    second, end = metrics.metrics(SCOPE, Wanted(), position, 3)
    assert [metric.name for metric in [*first, *second]] == [f"m{n}" for n in range(5)]
    assert end is None
