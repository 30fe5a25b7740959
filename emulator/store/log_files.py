"""One log stream on disk: what a job printed, byte for byte, bounded, readable while it is being written.

A stream is a folder of segments. The segment that starts at byte ``n`` of the output is ``n.log``, and ``n.index``
beside it says when its bytes came: pairs of (offset, Unix milliseconds), one per chunk. Segment 0 is the head, which
holds the first ``limit`` bytes. What follows goes to tail segments of one MiB of which only the newest two are kept,
so a program that prints a gigabyte costs its writing and no more. Offsets are those of the whole output, dropped parts
included, so a reader's position stays valid while the tail moves on.
"""

from __future__ import annotations

import struct
import threading
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

TAIL_BYTES = 1 << 20
MAX_EVENT_BYTES = 256 * 1024
"""A longer line becomes several events (Amazon CloudWatch Logs quotas, "Event size")."""
_BLOCK = 256 * 1024
_ENTRY = struct.Struct("=QQ")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its newline; ``end`` is the position of the next. ``timestamp`` is in Unix milliseconds."""

    start: int
    end: int
    timestamp: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Segment:
    start: int
    size: int
    path: Path

    @property
    def end(self) -> int:
        return self.start + self.size


def _segments(folder: Path) -> list[_Segment]:
    """The segments that are there now, in order; one that a writer drops meanwhile is left out."""
    found = []
    if folder.is_dir():
        for path in folder.glob("*.log"):
            try:
                found.append(_Segment(int(path.stem), path.stat().st_size, path))
            except FileNotFoundError:
                continue
    return sorted(found, key=lambda segment: segment.start)


class LogWriter:
    """Appends to a stream; safe to share between threads. Every write reaches the file before it returns.

    Raises:
        OSError: the disk is full; what was written so far stays readable.
    """

    def __init__(self, folder: Path, limit: int, closed: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self.limit = limit
        """Bytes kept of the stream, as it was asked for."""
        self._limit = max(limit, _BLOCK)
        self._closed = closed
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._index: FileIO | None = None
        self._segment = 0
        self._size = 0
        self._stamp = 0
        self._last = b"\n"

    def write(self, data: bytes, timestamp: int | None = None) -> None:
        """Append ``data``, which came at ``timestamp`` (Unix milliseconds; now, if left out)."""
        now = int(time.time() * 1000) if timestamp is None else timestamp
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[self._write_part(view, now) :]
            self._last = data[-1:] or self._last

    def line(self, text: str) -> None:
        """Append a line of the emulator's own, marked as such."""
        newline = "" if self._last == b"\n" else "\n"
        self.write(f"{newline}emulator: {text}\n".encode())

    def close(self) -> None:
        with self._lock:
            self._close_files()
        self._closed()

    def _write_part(self, view: memoryview, now: int) -> int:
        if self._file is None:
            self._open_last()
        room = self._segment + (self._limit if self._segment == 0 else TAIL_BYTES) - self._size
        if room <= 0:
            self._open(self._size)
            self._drop_old_tails()
            room = TAIL_BYTES
        assert self._file is not None
        assert self._index is not None
        if now != self._stamp:
            self._index.write(_ENTRY.pack(self._size, now))
            self._stamp = now
        written = self._file.write(view[:room])
        self._size += written
        return written

    def _open_last(self) -> None:
        segments = _segments(self.folder)
        if segments:
            self._size = segments[-1].end
            self._open(segments[-1].start)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._open(0)

    def _open(self, start: int) -> None:
        self._close_files()
        self._segment, self._stamp = start, 0
        self._file = FileIO(self.folder / f"{start}.log", "ab")
        self._index = FileIO(self.folder / f"{start}.index", "ab")

    def _drop_old_tails(self) -> None:
        for segment in _segments(self.folder)[1:-2]:
            segment.path.unlink(missing_ok=True)
            segment.path.with_suffix(".index").unlink(missing_ok=True)

    def _close_files(self) -> None:
        for file in (self._file, self._index):
            if file is not None:
                file.close()
        self._file = self._index = None


class LogReader:
    """Reads a stream as it is at this moment. An unfinished last line counts only when the stream is ``closed``."""

    def __init__(self, folder: Path, closed: bool) -> None:
        self._folder = folder
        self._closed = closed
        self._segments = _segments(folder)
        self._times: dict[int, tuple[array[int], array[int]]] = {}

    @property
    def size(self) -> int:
        """Bytes written so far, dropped ones included."""
        return self._segments[-1].end if self._segments else 0

    def first_timestamp(self) -> int | None:
        return self._timestamp(0) if self.size else None

    def last_timestamp(self) -> int | None:
        return self._timestamp(self.size - 1) if self.size else None

    def forward(self, position: int = 0, until: int | None = None) -> Iterator[Line]:
        """Lines that start at or after ``position``, which must be the start of a line, and before ``until``."""
        carry, at = b"", position
        for start, block in self._blocks(position):
            if start != at + len(carry):
                yield from self._pieces(at, carry, at + len(carry))
                skip = block.find(b"\n") + 1
                yield self._dropped(at + len(carry), start + skip)
                carry, at, block = b"", start + skip, block[skip:]
            *lines, carry = (carry + block).split(b"\n")
            for line in lines:
                if until is not None and at >= until:
                    return
                yield from self._pieces(at, line, at + len(line) + 1)
                at += len(line) + 1
            while len(carry) >= MAX_EVENT_BYTES and (until is None or at < until):
                yield Line(at, at + MAX_EVENT_BYTES, self._timestamp(at), carry[:MAX_EVENT_BYTES])
                carry, at = carry[MAX_EVENT_BYTES:], at + MAX_EVENT_BYTES
        if carry and self._closed and (until is None or at < until):
            yield from self._pieces(at, carry, at + len(carry))

    def backward(self, position: int | None = None) -> Iterator[Line]:
        """Lines that start before ``position`` (the end, if left out), last first."""
        end = self.size if position is None else min(position, self.size)
        window = 4 * _BLOCK
        while end > 0:
            start = self._line_start(end - window)
            lines = list(self.forward(start, until=end)) if start < end else []
            if not lines and start > 0:
                window *= 2
                continue
            yield from reversed(lines)
            end, window = start, 4 * _BLOCK

    def _line_start(self, position: int) -> int:
        """The first start of a line at or after ``position``."""
        if position <= 0:
            return 0
        for start, block in self._blocks(position - 1):
            newline = block.find(b"\n")
            if newline >= 0:
                return start + newline + 1
        return self.size

    def _blocks(self, position: int) -> Iterator[tuple[int, bytes]]:
        for segment in self._segments:
            if segment.end <= position:
                continue
            try:
                with FileIO(segment.path) as file:
                    at = max(position, segment.start)
                    file.seek(at - segment.start)
                    while at < segment.end and (block := file.read(min(_BLOCK, segment.end - at))):
                        yield at, block
                        at += len(block)
            except FileNotFoundError:
                continue

    def _pieces(self, start: int, data: bytes, end: int) -> Iterator[Line]:
        """A line as events: nothing for an empty one, several for a very long one."""
        for offset in range(0, len(data), MAX_EVENT_BYTES):
            piece = data[offset : offset + MAX_EVENT_BYTES]
            after = end if offset + len(piece) == len(data) else start + offset + len(piece)
            yield Line(start + offset, after, self._timestamp(start + offset), piece)

    def _dropped(self, start: int, end: int) -> Line:
        text = f"emulator: {end - start} bytes of output dropped here; EMULATOR_LOG_LIMIT_MIB says how much is kept"
        return Line(start, end, self._timestamp(end), text.encode())

    def _timestamp(self, position: int) -> int:
        for segment in self._segments:
            if segment.start <= position < segment.end:
                offsets, stamps = self._entries(segment)
                return stamps[max(bisect_right(offsets, position) - 1, 0)] if stamps else 0
        return 0

    def _entries(self, segment: _Segment) -> tuple[array[int], array[int]]:
        if segment.start not in self._times:
            try:
                data = segment.path.with_suffix(".index").read_bytes()
            except FileNotFoundError:
                data = b""
            pairs = array("Q", data[: len(data) - len(data) % _ENTRY.size])
            self._times[segment.start] = (pairs[0::2], pairs[1::2])
        return self._times[segment.start]


def remove(folder: Path) -> None:
    """Delete a stream's files."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
