"""Showing progress: plain lines, one per change, or a live table on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.report import duration

MARKS = {"Succeeded": "✓", "Failed": "✗", "Stopped": "■", "Executing": "▸", "Starting": "▸", "Stopping": "■"}
COLORS = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Executing": "cyan", "Starting": "cyan"}


def on_terminal() -> bool:
    """Whether the output is a terminal that can redraw."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def seconds(value: float) -> str:
    """A duration for people: ``0.4 s``, ``12.3 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


class PlainView:
    """One line for each change of a step, with the time since the view began."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began = time.monotonic()
        self._seen: dict[str, str] = {}

    def update(self, steps: list[dict[str, Any]], *, ended: bool = False) -> None:
        for step in steps:
            name, status = step["StepName"], step["StepStatus"]
            if self._seen.get(name) == status:
                continue
            self._seen[name] = status
            took = f"  {seconds(duration(step))}" if step.get("EndTime") else ""
            cached = "  (cached)" if step.get("CacheHitResult") else ""
            self._write(f"[{time.monotonic() - self._began:8.2f} s] {name}: {status}{took}{cached}")


class LiveView:
    """A table of all steps, redrawn at every poll, also of those that have not begun."""

    def __init__(self, live: Any, names: list[str]) -> None:
        self._live = live
        self._names = names

    def update(self, steps: list[dict[str, Any]], *, ended: bool = False) -> None:
        self._live.update(self._table(steps, "not run" if ended else "waiting"), refresh=True)

    def _table(self, steps: list[dict[str, Any]], absent: str) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        begun = {step["StepName"]: step for step in steps}
        for name in [*self._names, *(name for name in begun if name not in self._names)]:
            step = begun.get(name)
            status = step["StepStatus"] if step else absent
            took = seconds(duration(step)) if step else ""
            cached = "cached" if step and step.get("CacheHitResult") else ""
            style = COLORS.get(status, "dim")
            table.add_row(
                Text(MARKS.get(status, "·"), style), name, Text(status, style), Text(took), Text(cached, "dim")
            )
        return table


@contextmanager
def open_view(names: list[str], write: Callable[[str], None]) -> Iterator[PlainView | LiveView]:
    """The view that fits the output; ``names`` are the steps expected, in order."""
    if not on_terminal():
        yield PlainView(write)
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        yield LiveView(live, names)
