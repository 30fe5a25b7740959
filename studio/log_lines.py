"""Lines of a log as a page shows them, made fit to be shown, and the line that explains a failure. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LONGEST, SHORTEST = 600, 150
"""Characters of a line on a page; the whole line is in the download."""
MOST_CHARACTERS = 30_000
"""Of a log on a page; where it has more, all its long lines are cut the shorter."""

_CONTROL = re.compile(
    r"(?:\x1b|#033)\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_FINAL = re.compile(
    r"^\s*([A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b.*|Killed|Segmentation fault.*|.*: command not found.*)"
)
_HINT = re.compile(r"\b(error|exception|fatal|failed|killed|cannot|no such file|not found|denied)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LogLine:
    """``host`` is the number of the host among those of a page that shows several, None on a page of one."""

    number: int
    milliseconds: int
    text: str
    is_cut: bool = False
    is_cause: bool = False
    host: int | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of one stream, or of all; ``older`` and ``newer`` are tokens of its neighbours."""

    stream: str
    lines: tuple[LogLine, ...]
    older: str | None = None
    newer: str | None = None
    streams: tuple[str, ...] = ()
    strength: int = 0
    left_out: int = 0
    """Streams that are not among those of a page of all."""

    @property
    def certainty(self) -> tuple[int, int]:
        """How well it explains a failure; of two that do so equally, the one that failed first does better."""
        return self.strength, -(self.cause.milliseconds if self.cause else 0)

    @property
    def cause(self) -> LogLine | None:
        return next((line for line in self.lines if line.is_cause), None)

    @property
    def names(self) -> list[str]:
        """What its streams are called, in their order."""
        return stream_names(self.streams)

    @property
    def is_of_several(self) -> bool:
        return any(line.host is not None for line in self.lines)


EMPTY = LogPage("", ())


def host_of(stream: str) -> str:
    """``job/algo-1-1700000000`` → ``algo-1``. A host that is started again, as on spot, has a stream each time."""
    name = stream.split("/")[1] if "/" in stream else stream
    return name.rpartition("-")[0] or name


def stream_names(streams: Iterable[str]) -> list[str]:
    """A short name for each stream of a job: its host, and where that has several, which one."""
    names: list[str] = []
    for stream in streams:
        rest = stream.split("/")[2:]  # a transform job has a stream of its requests beside that of its container
        host = " ".join([host_of(stream), *rest])
        again = sum(name == host or name.startswith(f"{host} (") for name in names)
        names.append(f"{host} ({again + 1})" if again else host)
    return names


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


def as_lines(
    events: Sequence[Mapping[str, Any]], cause: int | None = None, hosts: Sequence[int | None] = ()
) -> tuple[LogLine, ...]:
    """Events of CloudWatch as lines; ``hosts`` is the number of the host of each, where they are of several."""
    longest = LONGEST if sum(min(LONGEST, len(e["message"])) for e in events) <= MOST_CHARACTERS else SHORTEST
    shown = hosts or [None] * len(events)
    return tuple(
        _line(number, event, number == cause, longest, host)
        for number, (event, host) in enumerate(zip(events, shown, strict=True))
    )


def _line(number: int, event: Mapping[str, Any], is_cause: bool, longest: int, host: int | None) -> LogLine:
    text = printable(event["message"])
    length = LONGEST if is_cause else longest
    return LogLine(number, event["timestamp"], text[:length], len(text) > length, is_cause, host)
