"""Pipe mode: inputs that a program reads from named pipes while they are read from the object store.

An input has one pipe for each time that it is read: ``<path>_0``, ``<path>_1``, … (SageMaker Developer Guide, "How
Amazon SageMaker provides training information"). Whoever opens one gets the whole input, anew, and then the end of the
file; who closes it early goes on with the next. A pipe that was read is removed: opening it again fails instead of
waiting for ever.

The program may do as it likes in the folder of its pipes. So that is held open by a descriptor, nothing but a pipe is
written to, and readers are looked for instead of waited for: a wait for a pipe that was moved away has no end.
"""

from __future__ import annotations

import errno
import gzip
import logging
import os
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self, cast

from emulator.aws.errors import AwsError
from emulator.jobs import augmented_manifest, recordio
from emulator.jobs.failures import JobFailure, download_failed, internal
from emulator.jobs.hosts import Host
from emulator.jobs.plan import Input, Plan, Stream, below_root
from emulator.jobs.staging import Stage, dealt
from emulator.store.objects import ObjectStore, parse_s3_uri

FIRST_LOOK, LAST_LOOK = 0.001, 0.05
"""Seconds between two looks for a reader: soon at first, then less and less often."""
_CHUNK = 1 << 20

logger = logging.getLogger(__name__)


@contextmanager
def feeding(plan: Plan, stage: Stage, failed: Callable[[str], None]) -> Iterator[None]:
    """Feed the pipes of a plan's streamed inputs; they exist from the start on, and are gone from the end on.

    ``failed`` is told, in another thread, why an input cannot be streamed: its pipe ends there.

    Raises:
        JobFailure: a pipe cannot be made.
    """
    with ExitStack() as stack:
        for item in plan.inputs:
            if item.stream is not None:
                pieces = _Pieces(stage, item, plan.host, plan.role)
                stack.enter_context(Feeder(stage.ml / below_root(item.path), item.stream, pieces, failed))
        yield


@dataclass(frozen=True, slots=True)
class Piece:
    """An object, or with ``value`` an attribute of an augmented manifest's line."""

    objects: ObjectStore
    name: str
    value: bytes | None = None

    def open(self) -> BinaryIO:
        """
        Raises:
            AwsError: the object is not there (any more).
        """
        if self.value is not None:
            return BytesIO(self.value)
        return self.objects.open_current(lambda: self.objects.require(*parse_s3_uri(self.name)))[1]


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What one host gets of an input, epoch by epoch."""

    stage: Stage
    item: Input
    host: Host
    role: str

    def __call__(self, epoch: int) -> Iterator[Piece]:
        source, objects = self.item.source, self.stage.objects
        if source.data_type != "AugmentedManifestFile":
            for stored, _ in self.stage.select(self.item, self.host, self.role, epoch):
                yield Piece(objects, stored.uri)
            return
        lines = augmented_manifest.lines(objects.read(*parse_s3_uri(source.uri)))
        for line in dealt(lines, source, self.host, epoch):
            for name, value in augmented_manifest.values(line, source.attributes, source.uri):
                yield Piece(objects, name, value)


class Feeder:
    """A thread that writes one input into its pipes, from entering the context to leaving it."""

    def __init__(
        self, path: Path, stream: Stream, pieces: Callable[[int], Iterator[Piece]], failed: Callable[[str], None]
    ) -> None:
        self._path = path
        self._stream = stream
        self._pieces = pieces
        self._failed = failed
        self._closed = threading.Event()
        self._epoch = 0
        self._thread = threading.Thread(target=self._run, name=f"pipe-{path.name}", daemon=True)

    def __enter__(self) -> Self:
        self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._make(0)
        except OSError as error:
            os.close(self._folder)
            raise JobFailure(f"ClientError: {error.strerror}: {self._path}_0") from error
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Call only when every process that could read has ended: the thread's writes fail then."""
        self._closed.set()
        self._thread.join()
        os.close(self._folder)

    def _run(self) -> None:
        try:
            for self._epoch in count():
                if not self._feed(self._epoch):
                    return
        except OSError as error:
            logger.info("The pipe %s_%s is gone: %s", self._path, self._epoch, error)

    def _feed(self, epoch: int) -> bool:
        """Write one epoch, once somebody opens its pipe; False if there is to be no other.

        Raises:
            OSError: the program has removed the pipe, or put something else in its place.
        """
        pipe = self._open(epoch)
        if pipe is None:
            return False
        try:
            if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
                raise OSError("it is no pipe any more")
            os.set_blocking(pipe, True)
            self._make(epoch + 1)
            whole = self._pour(epoch, pipe)
            with suppress(FileNotFoundError):
                os.unlink(self._name(epoch), dir_fd=self._folder)
            return whole
        finally:
            os.close(pipe)

    def _open(self, epoch: int) -> int | None:
        """A descriptor of the pipe, once there is a reader; None once there will be none."""
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        pause = FIRST_LOOK
        while not self._closed.is_set():
            try:
                return os.open(self._name(epoch), flags, dir_fd=self._folder)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
            self._closed.wait(pause)
            pause = min(2 * pause, LAST_LOOK)
        return None

    def _pour(self, epoch: int, pipe: int) -> bool:
        """False if the input cannot be had. That is told before the reader finds the end of the file."""
        try:
            with suppress(BrokenPipeError):
                for piece in self._pieces(epoch):
                    with closing(piece.open()) as content:
                        self._write(piece.name, content, pipe)
            return True
        except JobFailure as failure:
            self._failed(failure.reason)
        except AwsError as error:
            self._failed(download_failed(error.message).reason)
        except Exception as error:
            logger.exception("The feeder of %s met a fault inside the emulator", self._path)
            self._failed(internal(f"{type(error).__name__}: {error}"))
        return False

    def _write(self, name: str, content: BinaryIO, pipe: int) -> None:
        try:
            if not self._stream.wrapped:
                _copy(self._decompressed(content), pipe)
            elif self._stream.gunzip:  # its length is not known before, so it has to be held in memory
                _write_record(name, BytesIO(self._decompressed(content).read(recordio.MAX_LENGTH + 1)), pipe)
            else:
                _write_record(name, content, pipe)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise download_failed(f"{name} cannot be decompressed with gzip: {error}") from error

    def _decompressed(self, content: BinaryIO) -> IO[bytes]:
        return cast(IO[bytes], gzip.GzipFile(fileobj=content)) if self._stream.gunzip else content

    def _make(self, epoch: int) -> None:
        os.mkfifo(self._name(epoch), dir_fd=self._folder)

    def _name(self, epoch: int) -> str:
        return f"{self._path.name}_{epoch}"


def _write_record(name: str, content: BinaryIO, pipe: int) -> None:
    length = content.seek(0, os.SEEK_END)
    content.seek(0)
    if length > recordio.MAX_LENGTH:
        raise download_failed(f"{name} is too large for a record of RecordIO, which has at most 2^29 - 1 bytes")
    _write_all(pipe, recordio.header(length))
    _copy(content, pipe)
    _write_all(pipe, recordio.padding(length))


def _copy(content: IO[bytes], pipe: int) -> None:
    while chunk := content.read(_CHUNK):
        _write_all(pipe, chunk)


def _write_all(pipe: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(pipe, rest) :]
