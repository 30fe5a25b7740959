"""Where the parts of multipart uploads are written: each at its place in one file, so that completing copies nothing.

Clients cut objects into parts of one size, so part n of size s begins at (n - 1) * s. The first part to arrive tells s.
Whatever does not fit that (a part sent twice, or larger than the first) gets a blob of its own, and completing then
joins by copying. A place is written once. The file becomes a blob only if nobody writes to it and it holds exactly the
parts that were chosen.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from emulator.store.blobs import Blobs, BlobWriter
from emulator.store.multipart import Upload, Uploads
from emulator.store.stored_objects import Part


@dataclass(slots=True)
class _Assembly:
    """What is known of one upload's file. ``taken`` are the parts that have a place; ``closed`` gives no more."""

    part_size: int = 0
    taken: set[int] = field(default_factory=set)
    writing: int = 0
    closed: bool = False


class PlaceWriter(BlobWriter):
    """Writes one part to its place. What a writer leaves that does not finish is written over, or never read."""

    def __init__(self, name: str, path: str, offset: int, ended: Callable[[bool], None]) -> None:
        super().__init__(name, path, flags=0, mode=0o644)
        self.offset = offset
        self._ended: Callable[[bool], None] | None = ended
        os.lseek(self._file, offset, os.SEEK_SET)

    def discard(self) -> None:
        self._close()
        ended, self._ended = self._ended, None
        if ended:
            ended(self._finished)


class Assemblies:
    """The files of the uploads under way; safe to share between threads."""

    def __init__(self, blobs: Blobs, uploads: Uploads) -> None:
        self._blobs = blobs
        self._uploads = uploads
        self._lock = threading.Lock()
        self._assemblies: dict[str, _Assembly] = {}

    def writer(self, upload: Upload, number: int, length: int) -> BlobWriter:
        """A writer of part ``number``, which is going to have ``length`` bytes."""
        offset = self._take_place(upload, number, length)
        if offset is not None:
            with suppress(PermissionError):  # sealed before a restart
                path = self._blobs.path(upload.blob)
                return PlaceWriter(upload.blob, path, offset, lambda kept: self._release(upload, number, kept))
            self._release(upload, number, True)
        return self._blobs.create()

    def assembled(self, upload: Upload, parts: list[Part]) -> str | None:
        """A new blob of the parts, if they are together in the upload's file already, and nothing else is.

        The upload keeps its file: completing may yet be refused, and tried again.
        """
        with self._lock:
            assembly = self._known(upload)
            if assembly.writing or not self._is_whole(upload, parts):
                return None
            assembly.closed = True
        self._blobs.seal(upload.blob)
        return self._blobs.duplicate(upload.blob)

    def forget(self, upload: Upload) -> None:
        with self._lock:
            self._assemblies.pop(upload.id, None)

    def _take_place(self, upload: Upload, number: int, length: int) -> int | None:
        with self._lock:
            assembly = self._known(upload)
            if not assembly.part_size:
                assembly.part_size = length
            if assembly.closed or number in assembly.taken or not 0 < length <= assembly.part_size:
                return None
            assembly.taken.add(number)
            assembly.writing += 1
            return (number - 1) * assembly.part_size

    def _release(self, upload: Upload, number: int, kept: bool) -> None:
        with self._lock:
            assembly = self._known(upload)
            assembly.writing = max(assembly.writing - 1, 0)
            if not kept:
                assembly.taken.discard(number)

    def _known(self, upload: Upload) -> _Assembly:
        """The state of an upload's file; after a restart, as its parts tell it."""
        assembly = self._assemblies.get(upload.id)
        if assembly is None:
            placed = [part for part in self._uploads.parts(upload.id) if part.offset is not None]
            assembly = _Assembly(_part_size(placed), {part.number for part in placed})
            self._assemblies[upload.id] = assembly
        return assembly

    def _is_whole(self, upload: Upload, parts: list[Part]) -> bool:
        end = 0
        for part in parts:
            if part.blob != upload.blob or part.offset != end:
                return False
            end += part.size
        return os.stat(self._blobs.path(upload.blob)).st_size == end  # noqa: PTH116 - a string path


def _part_size(placed: list[Part]) -> int:
    """The size that the places of parts imply; 0 if there are none yet."""
    sizes = [part.offset // (part.number - 1) if part.offset else part.size for part in placed]
    return max(sizes, default=0)
