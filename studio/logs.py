"""Logs of jobs: their last lines or a page of them, made fit to be shown, and the line that explains a failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from studio.aws import Aws, Problem
from studio.jobs import Kind

LINES = 200
"""Lines of a log on a page."""
LONGEST, SHORTEST = 600, 150
"""Characters of a line on a page; the whole line is in the download."""
MOST_CHARACTERS = 30_000
"""Of a log on a page; where it has more, all its long lines are cut the shorter."""
FULL_PAGE = 500_000
"""Characters from which on CloudWatch may have cut a page before it had as many lines as were asked for."""
MOST_EMPTY_PAGES = 3
MOST_SEARCHED_PAGES = 10
"""Pages of a search without a hit, after which the reader is asked whether to look on."""
MOST_HOSTS = 8
"""Hosts of a failed job whose logs are searched for the line that explains it."""

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
    strength: int = 0

    @property
    def certainty(self) -> tuple[int, int]:
        """How well it explains a failure; of two that do so equally, the one that failed first does better."""
        return self.strength, -(self.cause.milliseconds if self.cause else 0)

    @property
    def cause(self) -> LogLine | None:
        return next((line for line in self.lines if line.is_cause), None)


EMPTY = LogPage("", ())


def streams_of(aws: Aws, kind: Kind, job: str) -> list[str]:
    """The log streams of a job, one for each of its hosts; none while it has not said anything.

    Raises:
        Problem: AWS refused.
    """
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
    """The last lines of a job's log, or those at ``token``; of a failed job with the line that explains it marked.

    Without a ``stream`` it is that of the first host, or of the host that explains a failure best.
    """
    streams = streams_of(aws, kind, job)
    if stream in streams:
        return _page(aws, kind, stream, streams, token, failed)
    if failed and len(streams) > 1:
        pages = [_page(aws, kind, name, streams, None, True) for name in streams[:MOST_HOSTS]]
        return max(pages, key=lambda page: page.certainty)
    return _page(aws, kind, streams[0], streams, token, failed) if streams else EMPTY


def _page(aws: Aws, kind: Kind, stream: str, streams: list[str], token: str | None, failed: bool) -> LogPage:
    answer = _events(aws, kind, stream, token)
    events = answer["events"]
    characters = sum(len(event["message"]) for event in events)
    cause = find_cause([event["message"] for event in events]) if failed and token is None else None
    longest = LONGEST if sum(min(LONGEST, len(e["message"])) for e in events) <= MOST_CHARACTERS else SHORTEST
    lines = tuple(_line(number, event, cause, longest) for number, event in enumerate(events))
    is_full = len(events) >= LINES or characters >= FULL_PAGE
    older = answer.get("nextBackwardToken") if is_full or (token and events) else None
    newer = answer.get("nextForwardToken") if token else None
    return LogPage(stream, lines, older, newer, tuple(streams), cause.strength if cause else 0)


def _events(aws: Aws, kind: Kind, stream: str, token: str | None) -> dict[str, Any]:
    """The last events, or those at ``token``. CloudWatch may give pages without any although there are some before."""
    for _ in range(MOST_EMPTY_PAGES):
        answer = aws.logs(
            "get_log_events",
            logGroupName=kind.log_group,
            logStreamName=stream,
            limit=LINES,
            startFromHead=False,
            nextToken=token,
        )
        if answer["events"] or answer.get("nextBackwardToken") in (None, token):
            break
        token = answer["nextBackwardToken"]
    return answer


def find_in_log(aws: Aws, kind: Kind, job: str, text: str, *, stream: str = "", token: str | None = None) -> LogPage:
    """The lines that contain a text, in the log of one host or of all; ``newer`` leads to those after them.

    Raises:
        Problem: AWS refused.
    """
    streams = streams_of(aws, kind, job)
    if not streams:
        return EMPTY
    looked_in = [stream] if stream in streams else streams
    for _ in range(MOST_SEARCHED_PAGES):
        answer = aws.logs(
            "filter_log_events",
            logGroupName=kind.log_group,
            logStreamNames=looked_in,
            filterPattern=_quoted(text),
            limit=LINES,
            nextToken=token,
        )
        token = answer.get("nextToken")
        if answer["events"] or not token:
            break
    lines = tuple(_line(number, event, None, SHORTEST) for number, event in enumerate(answer["events"]))
    return LogPage(stream if stream in streams else "", lines, None, token, tuple(streams))


def _quoted(text: str) -> str:
    """A filter pattern that means the text itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Cause(NamedTuple):
    """The line that says why, and how sure that is: 3 a traceback's end, 2 an error's name, 1 a word, 0 a guess."""

    line: int
    strength: int


def find_cause(messages: Sequence[str]) -> Cause | None:
    """The last line of the last traceback, or the last that names an error, or the last."""
    numbers = range(len(messages) - 1, -1, -1)
    begin = next((i for i in numbers if messages[i].startswith("Traceback (most recent")), None)
    if begin is not None:
        for i in range(begin + 1, len(messages)):
            if messages[i] and not messages[i][0].isspace():
                return Cause(i, 3)
    for strength, pattern in ((2, _FINAL), (1, _HINT)):
        for i in numbers:
            if pattern.search(messages[i]):
                return Cause(i, strength)
    return next((Cause(i, 0) for i in numbers if messages[i].strip()), None)


def printable(text: str) -> str:
    """Without the characters that command a terminal or turn the direction of writing; tabs become spaces."""
    return _CONTROL.sub("", text.replace("\t", "    ")).rstrip("\r\n")


def _line(number: int, event: dict[str, Any], cause: Cause | None, longest: int) -> LogLine:
    is_cause = cause is not None and cause.line == number
    text = printable(event["message"])
    length = LONGEST if is_cause else longest
    return LogLine(number, event["timestamp"], text[:length], len(text) > length, is_cause)
