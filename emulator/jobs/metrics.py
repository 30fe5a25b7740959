"""Metrics read from a job's log by regular expressions (SageMaker Developer Guide, "Define training metrics").

The last value of each goes into the job's description; all go to CloudWatch while the job runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emulator.store.log_streams import LogEvent, LogStream, LogStreams
from emulator.store.metrics import Metric, Point

_PIECE = re.compile(
    r"""(?P<plain>[A-Za-z0-9 _:=#,;@%&<>/"'~`!-]|\\[^A-Za-z0-9])(?![*+?{])
    |\[\^?\]?(?:\\.|[^\]\\])*\]  # a set of characters
    |\{[^}]*\}                     # how often
    |\\.|.""",
    re.VERBOSE | re.DOTALL,
)
_HARD = re.compile(r"\||\(\?[aiLmsux-]|\\[0-9xuUN]")
"""Alternatives, flags, references and characters by their numbers: such expressions are not looked through."""


class Expression:
    """A regular expression that finds a number in a line.

    Logs are long, and an expression such as ``.*loss=(.*)`` is slow at saying no. A text that it cannot match without
    is found first, where there is one.
    """

    def __init__(self, regex: str) -> None:
        self._pattern = re.compile(regex)
        self._literal = required_text(regex)

    def value_in(self, line: str) -> float | None:
        """The last number in a line that the expression finds; ``nan`` and ``inf`` are none, as for CloudWatch."""
        if self._literal not in line:
            return None
        for match in reversed(list(self._pattern.finditer(line))):
            try:
                value = float(match.group(1) if self._pattern.groups else match.group())
            except (TypeError, ValueError):
                continue
            if math.isfinite(value):
                return value
        return None


def required_text(regex: str) -> str:
    """The longest text that every match of an expression has in it, as far as that is easily told; else empty."""
    if _HARD.search(regex):
        return ""
    runs, depth = [""], 0
    for piece in _PIECE.finditer(regex):
        depth += {"(": 1, ")": -1}.get(piece[0], 0)
        if piece["plain"] and depth == 0:
            runs[-1] += piece["plain"].removeprefix("\\")
        else:
            runs.append("")
    return max(runs, key=len)


def final_metrics(definitions: Iterable[Mapping[str, str]], backward: Iterable[LogEvent]) -> list[dict[str, Any]]:
    """The last value of each metric, in the order of the definitions; ``backward`` gives the log's last line first."""
    open_definitions = {item["Name"]: Expression(item["Regex"]) for item in definitions}
    order = list(open_definitions)
    found: dict[str, dict[str, Any]] = {}
    if not open_definitions:
        return []
    for event in backward:
        for name in list(open_definitions):
            value = open_definitions[name].value_in(event.message)
            if value is not None:
                found[name] = {"MetricName": name, "Value": value, "Timestamp": event.timestamp / 1000}
                del open_definitions[name]
        if not open_definitions:
            break
    return [found[name] for name in order if name in found]


class LogMetrics:
    """Reads a log stream on from where it was last read. One thread at a time may ask it."""

    def __init__(
        self,
        namespace: str,
        dimensions: Mapping[str, str],
        definitions: Iterable[Mapping[str, str]],
        logs: LogStreams,
        stream: LogStream,
    ) -> None:
        """What is in the stream already is passed over: an earlier run of the job printed it."""
        self._expressions = [
            (Metric(namespace, item["Name"], dimensions), Expression(item["Regex"])) for item in definitions
        ]
        self._logs = logs
        self._stream = stream
        self._position = next((event.end for event in logs.events_backward(stream)), 0)

    def new_points(self, *, complete: bool = False) -> Iterator[tuple[Metric, Point]]:
        """The values in lines that came since the last call; ``complete``: also in a last line that has no end."""
        for event in self._logs.events(self._stream, self._position, complete=complete):
            self._position = event.end
            for metric, expression in self._expressions:
                value = expression.value_in(event.message)
                if value is not None:
                    yield metric, Point.of(event.timestamp / 1000, value)
