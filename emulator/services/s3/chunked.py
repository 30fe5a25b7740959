"""The ``aws-chunked`` content encoding: data in chunks, each with an optional signature, then optional trailers.

Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
The signatures of chunks are not checked: the connection is local, and the data is covered by its checksums.
"""

from __future__ import annotations

import re

from emulator.aws.errors import AwsError
from emulator.services.s3.errors import incomplete_body

_MAX_LINE = 16 * 1024
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")


class AwsChunkedDecoder:
    """Decodes piece by piece, wherever the pieces are cut."""

    def __init__(self) -> None:
        self.trailers: dict[str, str] = {}
        """Names in lower case; there once ``finish`` has returned."""
        self._line = bytearray()
        self._remaining = 0
        self._after_data = False
        self._ended = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payload that is in the next piece of the encoded body.

        Raises:
            AwsError: InvalidRequest: this is not ``aws-chunked``.
        """
        payload = []
        position = 0
        while position < len(data):
            if self._remaining:
                chunk = data[position : position + self._remaining]
                position += len(chunk)
                self._remaining -= len(chunk)
                self._after_data = self._remaining == 0
                payload.append(chunk)
            else:
                position = self._take_line(data, position)
        return payload

    def finish(self) -> None:
        """Say that the body has ended.

        Raises:
            AwsError: IncompleteBody: it ended before its last chunk.
        """
        if not self._ended:
            raise incomplete_body()
        self._take_trailer(bytes(self._line))

    def _take_line(self, data: bytes, position: int) -> int:
        end = data.find(b"\n", position)
        self._line += data[position : end if end >= 0 else len(data)]
        if len(self._line) > _MAX_LINE:
            raise _malformed("a chunk header of more than 16 KiB")
        if end < 0:
            return len(data)
        line = bytes(self._line)
        self._line.clear()
        self._use_line(line)
        return end + 1

    def _use_line(self, line: bytes) -> None:
        if self._ended:
            self._take_trailer(line)
        elif self._after_data:
            if line.strip():
                raise _malformed("a chunk is longer than its header says")
            self._after_data = False
        else:
            self._remaining = _chunk_size(line)
            self._ended = self._remaining == 0

    def _take_trailer(self, line: bytes) -> None:
        name, colon, value = line.partition(b":")
        if colon:
            self.trailers[name.strip().decode("latin-1").lower()] = value.strip().decode("latin-1")


def _chunk_size(line: bytes) -> int:
    text = line.partition(b";")[0].strip()
    if not _SIZE.fullmatch(text):
        raise _malformed(f"{text[:40]!r} is not a chunk size")
    return int(text, 16)


def _malformed(what: str) -> AwsError:
    return AwsError(f"The aws-chunked body of the request is malformed: {what}", code="InvalidRequest")
