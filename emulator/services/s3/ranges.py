"""Byte ranges (RFC 7233, as far as S3 goes: one range)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.services.s3.errors import invalid_range

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``start`` to before ``end`` of ``size``."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range that a header asks for; None, meaning everything, if there is none, or one that S3 ignores.

    Raises:
        AwsError: InvalidRange: it begins beyond the end.
    """
    found = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or found[1] == found[2] == "" or header is None:
        return None
    if found[1] == "":
        length = int(found[2])
        start, end = max(size - length, 0), size
        if length == 0:
            raise invalid_range(header, size)
    else:
        start, end = int(found[1]), size
        if found[2]:
            if int(found[2]) < start:
                return None
            end = min(int(found[2]) + 1, size)
    if start >= size:
        raise invalid_range(header, size)
    return ByteRange(start, end, size)
