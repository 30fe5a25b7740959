"""RecordIO, the framing that Pipe mode can put around each object (Apache MXNet, "Data Format" of RecordIO).

A record is a magic word, a word with three bits of flags (0: a whole record) and 29 bits of length, the content, and
zeros up to a multiple of four bytes; words are little-endian. Content that holds the magic word is not split, as
sagemaker.amazon.common does not split it: readers go from record to record by their lengths.
"""

from __future__ import annotations

import struct

MAGIC = 0xCED7230A
MAX_LENGTH = (1 << 29) - 1
"""Bytes of one record."""


def header(length: int) -> bytes:
    """What precedes a record of ``length`` bytes, at most ``MAX_LENGTH``."""
    assert length <= MAX_LENGTH
    return struct.pack("<II", MAGIC, length)


def padding(length: int) -> bytes:
    """What follows a record of ``length`` bytes."""
    return b"\0" * (-length % 4)
