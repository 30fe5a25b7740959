"""Metrics of a job through time, read from its log by its own metric definitions, and only ever what is new in it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from studio.aws import Aws
from studio.jobs import Kind
from studio.log_lines import host_of
from studio.logs import get_log_events, streams_of

MOST_PAGES, LEAST_PAGES = 10, 3
"""Pages of logs, of at most 1 MiB each, that are read for one view of them; the least of each."""
MOST_STREAMS = 16
AT_A_TIME = 8
MOST_POINTS = 20_000

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """Values in the order in which they were logged, with seconds since the first line that any host logged."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as a curve for each host that logged it."""

    name: str
    hosts: tuple[Series, ...]

    @property
    def curves(self) -> list[tuple[str, tuple[Point, ...]]]:
        return [(series.name, series.points) for series in self.hosts]


@dataclass
class Tape:
    """How far the log of one stream has been read, and what was found in it: milliseconds and values by metric."""

    token: str | None = None
    first: int | None = None
    points: dict[str, list[Point]] = field(default_factory=dict)

    def take(self, event: Mapping[str, Any], patterns: Mapping[str, re.Pattern[str]]) -> None:
        self.first = event["timestamp"] if self.first is None else self.first
        for name, pattern in patterns.items():
            match = pattern.search(event["message"])
            if match and (value := _number(match)) is not None:
                points = self.points.setdefault(name, [])
                points.append((event["timestamp"], value))
                if len(points) > MOST_POINTS:
                    del points[1::2]  # half of them draw the same curve


@dataclass
class Reading:
    """How far the logs of a job have been read, by stream."""

    patterns: Mapping[str, re.Pattern[str]]
    tapes: dict[str, Tape] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def metrics(self) -> list[Metric]:
        """Those that have changed at least once."""
        first = min((tape.first for tape in self.tapes.values() if tape.first is not None), default=0)
        found = (Metric(name, tuple(self._curves(name, first))) for name in self.patterns)
        return [metric for metric in found if any(len(series.points) > 1 for series in metric.hosts)]

    def _curves(self, name: str, first: int) -> Iterator[Series]:
        """A curve for each host; what it logged before it was started again belongs to the same."""
        by_host: dict[str, list[Point]] = {}
        for stream, tape in self.tapes.items():
            by_host.setdefault(host_of(stream), []).extend(tape.points.get(name, []))
        for host, points in by_host.items():
            if points:
                yield Series(host, tuple(((time - first) / 1000, value) for time, value in sorted(points)))


def read_series(aws: Aws, kind: Kind, job: str, patterns: Sequence[tuple[str, str]]) -> list[Metric]:
    """The metrics of a job that have changed at least once, of each of its hosts.

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
        return reading.metrics()


def _read_on(aws: Aws, kind: Kind, job: str, reading: Reading) -> None:
    streams = streams_of(aws, kind, job)[:MOST_STREAMS]
    for stream in streams:
        reading.tapes.setdefault(stream, Tape())
    pages = max(LEAST_PAGES, MOST_PAGES // max(1, len(streams)))
    with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
        for _ in pool.map(lambda stream: _read_tape(aws, kind, stream, reading, pages), streams):
            pass  # so that what AWS refused is raised


def _read_tape(aws: Aws, kind: Kind, stream: str, reading: Reading, pages: int) -> None:
    tape = reading.tapes[stream]
    for _ in range(pages):
        answer = get_log_events(aws, kind, stream, startFromHead=True, nextToken=tape.token)
        for event in answer["events"]:
            tape.take(event, reading.patterns)
        before, tape.token = tape.token, answer["nextForwardToken"]
        if tape.token == before:  # the end; a page without events is none
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
