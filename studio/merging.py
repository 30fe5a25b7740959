"""The logs of several hosts as one, by time. Only the end of each is read, however long they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from studio.log_lines import LogPage, as_lines, find_cause

MOST_MERGED = 16
"""Streams that are merged; each of the others still has its own page."""
AT_A_TIME = 8
EVERY = "all"
"""In place of a stream: all of them, by time."""


class Tail(NamedTuple):
    """The last events of a stream before some time; ``is_cut`` if there may be older ones."""

    events: list[dict[str, Any]]
    is_cut: bool


class _Entry(NamedTuple):
    """An event, the number of its stream, and its place within that stream's tail."""

    milliseconds: int
    stream: int
    place: int
    event: dict[str, Any]


def position(token: str | None) -> tuple[int | None, int]:
    """Where a page of older lines ends: before which millisecond, and how many of its last lines were shown already.

    Several lines of one millisecond may lie on two pages, so a time alone would lose or repeat some.
    """
    time, _, shown = (token or "").partition(".")
    return (int(time) + 1, int(shown)) if time.isdecimal() and shown.isdecimal() else (None, 0)


def merge(
    streams: Sequence[str], tail: Callable[[str], Tail], lines: int, token: str | None = None, failed: bool = False
) -> LogPage:
    """A page of the last ``lines`` before ``token``; of a failed job with the line that explains it best."""
    with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
        tails = list(pool.map(tail, streams[:MOST_MERGED]))
    _, skipped = position(token)
    entries = _by_time(tails)
    rest = entries[: len(entries) - skipped]
    shown = rest[-lines:]
    older = _older(shown, token) if len(rest) > lines or any(each.is_cut for each in tails) else None
    cause, strength = _cause(tails, shown) if failed and token is None else (None, 0)
    page = as_lines([entry.event for entry in shown], cause, [entry.stream for entry in shown])
    left_out = max(0, len(streams) - MOST_MERGED)
    return LogPage(EVERY, page, older, None, tuple(streams), strength, left_out)


def _by_time(tails: Sequence[Tail]) -> list[_Entry]:
    """All events from where the last of the tails that were cut begins: before it some would be missing."""
    begins = [each.events[0]["timestamp"] for each in tails if each.is_cut and each.events]
    floor = max(begins, default=0)
    entries = [
        _Entry(event["timestamp"], stream, place, event)
        for stream, each in enumerate(tails)
        for place, event in enumerate(each.events)
        if event["timestamp"] >= floor
    ]
    return sorted(entries, key=lambda entry: entry[:3])


def _older(shown: Sequence[_Entry], token: str | None) -> str | None:
    """The token of the page before the lines that are shown."""
    if not shown:
        return None
    first = shown[0].milliseconds
    end, skipped = position(token)
    same = sum(entry.milliseconds == first for entry in shown) + (skipped if end == first + 1 else 0)
    return f"{first}.{same}"


def _cause(tails: Sequence[Tail], shown: Sequence[_Entry]) -> tuple[int | None, int]:
    """The line that explains a failure best, found in each log by itself: merged, tracebacks are torn apart."""
    found = []
    for stream, each in enumerate(tails):
        if cause := find_cause([event["message"] for event in each.events]):
            time = each.events[cause.line]["timestamp"]
            found.append((cause.strength, -time, stream, cause.line))
    if not found:
        return None, 0
    strength, _, stream, place = max(found, key=lambda item: item[:2])
    number = next((n for n, entry in enumerate(shown) if (entry.stream, entry.place) == (stream, place)), None)
    return number, strength
