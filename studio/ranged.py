"""An object in S3 as a file that is read where it is wanted: formats that keep their index at the end need no more."""

from __future__ import annotations

import io

from studio.aws import Aws


class RangedObject(io.RawIOBase):
    """Each read is one GetObject of a range."""

    def __init__(self, aws: Aws, bucket: str, key: str, size: int) -> None:
        self._aws, self._bucket, self._key, self._size = aws, bucket, key, size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readall(self) -> bytes:
        return self.read(self._size - self._place)

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, all that are left if ``size`` is negative.

        Raises:
            Problem: AWS refused.
        """
        last = self._size if size < 0 else min(self._place + size, self._size)
        if last <= self._place:
            return b""
        span = f"bytes={self._place}-{last - 1}"
        with self._aws.s3("get_object", Bucket=self._bucket, Key=self._key, Range=span)["Body"] as body:
            data: bytes = body.read()
        self._place += len(data)
        return data
