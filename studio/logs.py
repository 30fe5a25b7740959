"""Logs of jobs: their last lines or a page of them, made fit to be shown, and the line that explains a failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.aws import Aws, Problem
from studio.jobs import Kind

LINES = 200
"""Lines of a log on a page."""
LONGEST = 600
"""Characters of a line on a page; the whole line is in the download."""
MOST_METRIC_PAGES = 10

_CONTROL = re.compile(
    r"(?:\x1b|#033)\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_FINAL = re.compile(
    r"^\s*([A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b.*|Killed|Segmentation fault.*|.*: command not found.*)"
)
_HINT = re.compile(r"\b(error|exception|fatal|failed|killed|cannot|no such file|not found|denied)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogLine:
    number: int
    milliseconds: int
    text: str
    is_cut: bool = False
    is_cause: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of one stream; ``older`` and ``newer`` are tokens of its neighbours."""

    stream: str
    lines: tuple[LogLine, ...]
    older: str | None = None
    newer: str | None = None
    streams: tuple[str, ...] = ()

    @property
    def cause(self) -> LogLine | None:
        return next((line for line in self.lines if line.is_cause), None)


EMPTY = LogPage("", ())


def streams_of(aws: Aws, kind: Kind, job: str) -> list[str]:
    """The log streams of a job, one for each of its hosts; none while it has not said anything."""
    if kind.log_group is None:
        return []
    try:
        answer = aws.logs("describe_log_streams", logGroupName=kind.log_group, logStreamNamePrefix=f"{job}/")
    except Problem as problem:
        if problem.is_missing:
            return []
        raise
    return [stream["logStreamName"] for stream in answer["logStreams"]]


def read_log(
    aws: Aws, kind: Kind, job: str, *, stream: str = "", token: str | None = None, failed: bool = False
) -> LogPage:
    """The last lines of a job's log, or those at ``token``; of a failed job with the line that explains it marked."""
    streams = streams_of(aws, kind, job)
    if not streams or kind.log_group is None:
        return EMPTY
    name = stream if stream in streams else streams[0]
    answer = aws.logs(
        "get_log_events",
        logGroupName=kind.log_group,
        logStreamName=name,
        limit=LINES,
        startFromHead=False,
        nextToken=token,
    )
    events = answer["events"]
    cause = find_cause([event["message"] for event in events]) if failed and token is None else None
    lines = tuple(_line(number, event, number == cause) for number, event in enumerate(events))
    older = answer.get("nextBackwardToken") if len(events) >= LINES else None
    newer = answer.get("nextForwardToken") if token else None
    return LogPage(name, lines, older, newer, tuple(streams))


def find_cause(messages: Sequence[str]) -> int | None:
    """The line that says why: the last line of the last traceback, or the last that names an error, or the last."""
    begin = next(
        (i for i in range(len(messages) - 1, -1, -1) if messages[i].startswith("Traceback (most recent")), None
    )
    if begin is not None:
        for i in range(begin + 1, len(messages)):
            if messages[i] and not messages[i][0].isspace():
                return i
    for pattern in (_FINAL, _HINT):
        for i in range(len(messages) - 1, -1, -1):
            if pattern.search(messages[i]):
                return i
    return next((i for i in range(len(messages) - 1, -1, -1) if messages[i].strip()), None)


def printable(text: str) -> str:
    """Without the characters that command a terminal or turn the direction of writing; tabs become spaces."""
    return _CONTROL.sub("", text.replace("\t", "    ")).rstrip("\r\n")


def _line(number: int, event: dict[str, Any], is_cause: bool) -> LogLine:
    text = printable(event["message"])
    return LogLine(number, event["timestamp"], text[:LONGEST], len(text) > LONGEST, is_cause)


@dataclass(frozen=True, slots=True)
class Series:
    """Values of a metric in the order in which they were logged, with seconds since the first."""

    name: str
    points: tuple[tuple[float, float], ...]


def read_series(aws: Aws, kind: Kind, job: str, patterns: Sequence[tuple[str, str]]) -> list[Series]:
    """The metrics of a job through time, by its own metric definitions, from its log."""
    compiled = [(name, _compiled(pattern)) for name, pattern in patterns]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name, _ in patterns}
    streams = streams_of(aws, kind, job) if any(regex for _, regex in compiled) else []
    token, first = None, None
    for _ in range(MOST_METRIC_PAGES if streams else 0):
        answer = aws.logs(
            "get_log_events", logGroupName=kind.log_group, logStreamName=streams[0], startFromHead=True, nextToken=token
        )
        for event in answer["events"]:
            first = event["timestamp"] if first is None else first
            for name, regex in compiled:
                if regex and (match := regex.search(event["message"])) and (value := _number(match)) is not None:
                    found[name].append(((event["timestamp"] - first) / 1000, value))
        if not answer["events"] or answer.get("nextForwardToken") == token:
            break
        token = answer.get("nextForwardToken")
    return [Series(name, tuple(points)) for name, points in found.items() if len(points) > 1]


def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:  # AWS takes some that Python does not; such a metric has no chart
        return None


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match.group(1) if match.re.groups else match.group(0))
    except (TypeError, ValueError):
        return None
