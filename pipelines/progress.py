"""Telling how far an upload is: on a terminal in a line that redraws itself, else by a line now and then.

Both go to standard error and begin only after a moment: most uploads are over by then. There is no color in it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

REDRAW_SECONDS = 0.2
LINE_SECONDS = 5.0
MEGABYTE = 1e6
CLEAR = "\r\x1b[K"

Advance = Callable[[int], None]


class Progress:
    """Counts bytes of ``total`` as they go; safe to share between threads."""

    def __init__(self, total: int, write: Callable[[str], object], *, redraws: bool) -> None:
        self._total = total
        self._write = write
        self._redraws = redraws
        self._interval = REDRAW_SECONDS if redraws else LINE_SECONDS
        self._done = 0
        self._next = time.monotonic() + self._interval
        self._drawn = False
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        """So many bytes more; fewer where a part is sent again."""
        with self._lock:
            self._done += count
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + self._interval
                self._show()

    def close(self) -> None:
        """Take the line away that redraws itself."""
        if self._drawn and self._redraws:
            self._write(CLEAR)

    def _show(self) -> None:
        line = f"uploading  {self._done / MEGABYTE:.1f} of {self._total / MEGABYTE:.1f} MB"
        self._write(f"{CLEAR}{line}" if self._redraws else f"{line}\n")
        self._drawn = True


class CountedFile:
    """A file that tells how much of it is read; going back takes it back."""

    def __init__(self, stream: BinaryIO, advance: Advance) -> None:
        self._stream = stream
        self._advance = advance

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._advance(len(data))
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        before = self._stream.tell()
        after = self._stream.seek(offset, whence)
        self._advance(after - before)
        return after

    def tell(self) -> int:
        return self._stream.tell()


@contextmanager
def showing_progress(total: int) -> Iterator[Advance]:
    """What to tell of each byte while the block runs."""
    redraws = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    progress = Progress(total, write, redraws=redraws)
    try:
        yield progress.advance
    finally:
        progress.close()
