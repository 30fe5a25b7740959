"""Metrics of a job through time, read from its log by its own metric definitions, and only ever what is new in it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.aws import Aws
from studio.jobs import Kind
from studio.logs import streams_of

MOST_PAGES = 10
"""Pages of a log, of at most 1 MiB each, that are read for one view of it."""
MOST_POINTS = 20_000

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Values of a metric in the order in which they were logged, with seconds since the first line of the log."""

    name: str
    points: tuple[Point, ...]


@dataclass
class Reading:
    """How far a log has been read, and what was found in it."""

    patterns: Mapping[str, re.Pattern[str]]
    stream: str = ""
    token: str | None = None
    first: int | None = None
    points: dict[str, list[Point]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, event: Mapping[str, Any]) -> None:
        self.first = event["timestamp"] if self.first is None else self.first
        for name, pattern in self.patterns.items():
            match = pattern.search(event["message"])
            if match and (value := _number(match)) is not None:
                points = self.points.setdefault(name, [])
                points.append(((event["timestamp"] - self.first) / 1000, value))
                if len(points) > MOST_POINTS:
                    del points[1::2]  # half of them draw the same curve


def read_series(aws: Aws, kind: Kind, job: str, patterns: Sequence[tuple[str, str]]) -> list[Series]:
    """The metrics of a job that have changed at least once.

    Raises:
        Problem: AWS refused.
    """
    compiled = dict(_compiled(patterns))
    if not compiled:
        return []
    key = kind.slug, job
    reading = aws.readings.get(key) or aws.readings.put(key, Reading(compiled))
    with reading.lock:
        _read_on(aws, kind, job, reading)
        return [Series(name, tuple(found)) for name, found in reading.points.items() if len(found) > 1]


def _read_on(aws: Aws, kind: Kind, job: str, reading: Reading) -> None:
    if not reading.stream:
        reading.stream = next(iter(streams_of(aws, kind, job)), "")
    for _ in range(MOST_PAGES if reading.stream else 0):
        answer = aws.logs(
            "get_log_events",
            logGroupName=kind.log_group,
            logStreamName=reading.stream,
            startFromHead=True,
            nextToken=reading.token,
        )
        for event in answer["events"]:
            reading.take(event)
        before, reading.token = reading.token, answer["nextForwardToken"]
        if reading.token == before:  # the end; a page without events is none
            return


def _compiled(patterns: Sequence[tuple[str, str]]) -> Iterator[tuple[str, re.Pattern[str]]]:
    for name, pattern in patterns:
        try:
            yield name, re.compile(pattern)
        except re.error:  # AWS takes some that Python does not; such a metric has no chart
            continue


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match.group(1) if match.re.groups else match.group(0))
    except (TypeError, ValueError):
        return None
