"""An object cut into payloads: the whole of it, one record each, or as many records as a payload may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

_LINE_LIMIT_SLACK = 2  # a line's own \r\n does not count


class RecordTooLarge(ValueError):
    """A record, or an object that is not split, does not fit into one payload."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The body of one request, and the records it was made of where they are not its own lines."""

    body: bytes
    records: list[bytes] = field(default_factory=list)


def whole(stream: IO[bytes], limit: int) -> Iterator[Batch]:
    """The object as one payload, of any size where ``limit`` is 0; nothing of an empty one."""
    data = stream.read(limit + 1) if limit else stream.read()
    if limit and len(data) > limit:
        raise RecordTooLarge(f"the object is larger than MaxPayloadInMB, {limit >> 20}, and SplitType is None")
    if data:
        yield Batch(data)


def lines(stream: IO[bytes], limit: int) -> Iterator[Batch]:
    """As many whole lines as fit, untouched."""
    rest = b""
    while True:
        data = rest + stream.read(limit - len(rest))
        if len(data) < limit:
            break
        end = data.rfind(b"\n") + 1
        if not end:
            if stream.read(1):
                raise _too_large(limit)
            break
        yield Batch(data[:end])
        rest = data[end:]
    if data:
        yield Batch(data)


def single_lines(stream: IO[bytes], limit: int) -> Iterator[Batch]:
    """Each line by itself, without its end."""
    for line in read_lines(stream, limit):
        yield Batch(line)


def frames(records: Iterator[bytes], limit: int, *, single: bool) -> Iterator[Batch]:
    """Records that have a frame of their own, such as RecordIO's, one behind the other."""
    held: list[bytes] = []
    size = 0
    for record in records:
        if len(record) > limit:
            raise _too_large(limit)
        if held and (single or size + len(record) > limit):
            yield Batch(b"".join(held))
            held, size = [], 0
        held.append(record)
        size += len(record)
    if held:
        yield Batch(b"".join(held))


def grouped(
    records: Iterator[bytes], limit: int, convert: Callable[[bytes], tuple[bytes, bytes]], *, single: bool
) -> Iterator[Batch]:
    """Lines after ``convert``, which gives what to send of a line and what to keep of it."""
    bodies: list[bytes] = []
    kept: list[bytes] = []
    size = 0
    for line in records:
        body, record = convert(line)
        if len(body) > limit:
            raise _too_large(limit)
        if bodies and (single or size + len(body) + 1 > limit):
            yield _batch(bodies, kept, single=single)
            bodies, kept, size = [], [], 0
        bodies.append(body)
        kept.append(record)
        size += len(body) + 1
    if bodies:
        yield _batch(bodies, kept, single=single)


def read_lines(stream: IO[bytes], limit: int) -> Iterator[bytes]:
    """The lines that have anything in them, without their ends."""
    while line := stream.readline(limit + _LINE_LIMIT_SLACK + 1):
        record = line.rstrip(b"\r\n")
        if len(record) > limit:
            raise _too_large(limit)
        if record:
            yield record


def _batch(bodies: list[bytes], kept: list[bytes], *, single: bool) -> Batch:
    return Batch(bodies[0] if single else b"\n".join(bodies) + b"\n", kept)


def _too_large(limit: int) -> RecordTooLarge:
    return RecordTooLarge(f"a record is larger than MaxPayloadInMB, {limit >> 20}")
