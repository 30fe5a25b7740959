"""Records that carry their own length: RecordIO (Apache MXNet) and TFRecord (TensorFlow), each with its frame."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import IO

from emulator.jobs.recordio import MAGIC
from emulator.jobs.transform.formats import FormatError

_WORDS = struct.Struct("<II")
_LENGTH = struct.Struct("<Q")
_LENGTH_BITS = 29
_CHECKSUM = 4
_WHOLE, _LAST = 0, 3
"""Flags of a RecordIO frame: of a record in one piece, and of the last piece of one that has several."""


def recordio(stream: IO[bytes]) -> Iterator[bytes]:
    """
    Raises:
        FormatError: what should be a frame is none.
    """
    pieces: list[bytes] = []
    while head := stream.read(_WORDS.size):
        magic, word = _WORDS.unpack(_whole(head, _WORDS.size, "RecordIO"))
        if magic != MAGIC:
            raise FormatError(f"Failed to parse object as RecordIO: a frame begins with {magic:#010x}")
        flag, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
        size = length + -length % 4
        pieces += [head, _whole(stream.read(size), size, "RecordIO")]
        if flag in (_WHOLE, _LAST):
            yield b"".join(pieces)
            pieces = []
    if pieces:
        raise FormatError("Failed to parse object as RecordIO: its last record is cut off")


def tfrecord(stream: IO[bytes]) -> Iterator[bytes]:
    """
    Raises:
        FormatError: the last frame is cut off.
    """
    while head := stream.read(_LENGTH.size + _CHECKSUM):
        head = _whole(head, _LENGTH.size + _CHECKSUM, "TFRecord")
        size = _LENGTH.unpack_from(head)[0] + _CHECKSUM
        yield head + _whole(stream.read(size), size, "TFRecord")


FRAMINGS: dict[str, Callable[[IO[bytes]], Iterator[bytes]]] = {"RecordIO": recordio, "TFRecord": tfrecord}
"""By SplitType."""


def _whole(data: bytes, size: int, name: str) -> bytes:
    if len(data) < size:
        raise FormatError(f"Failed to parse object as {name}: its last record is cut off")
    return data
