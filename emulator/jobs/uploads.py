"""Outputs to S3: folders as objects, folders as one archive, folders while the job still writes them."""

from __future__ import annotations

import io
import sqlite3
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from emulator.aws.errors import AwsError
from emulator.jobs.failures import upload_failed
from emulator.jobs.plan import Output
from emulator.jobs.tree import Trees
from emulator.store.objects import ObjectStore, parse_s3_uri

COMPRESSION_LEVEL = 1
"""gzip's fastest: a model is compressed once on the job's way and seldom read."""
_GZIP_WINDOW = 31
"""zlib's way to say: gzip header and trailer, the largest window."""


@dataclass(slots=True)
class Uploader:
    """Uploads of one job. ``note`` takes lines for the job's log."""

    objects: ObjectStore
    tree: Trees
    note: Callable[[str], None]
    _uploaded: dict[str, tuple[int, int]] = field(default_factory=dict)

    def folder(self, output: Output) -> int:
        """Move every file of a folder below the output's URI; how many there were.

        Raises:
            JobFailure: the bucket is not there, the disk is full.
        """
        count = 0
        with naming_the_reason():
            bucket, prefix = parse_s3_uri(output.uri)
            for entry in self.tree.files(output.path, self._skipped(output.path)):
                self.objects.put_file(bucket, _join(prefix, entry.relative), entry.path, take=not entry.link)
                count += 1
        return count

    def changed(self, output: Output) -> None:
        """Upload what is new or has changed in a folder since the last call; the program may be at work in it.

        Raises:
            JobFailure: the bucket is not there, the disk is full.
        """
        with naming_the_reason():
            bucket, prefix = parse_s3_uri(output.uri)
            for entry in self.tree.latest(output.path):
                try:
                    state = entry.path.stat()
                    signature = (state.st_mtime_ns, state.st_size)
                    if self._uploaded.get(str(entry.path)) != signature:
                        self.objects.put_file(bucket, _join(prefix, entry.relative), entry.path)
                        self._uploaded[str(entry.path)] = signature
                except FileNotFoundError:
                    continue

    def archive(self, path: str, uri: str, scratch: Path) -> bool:
        """Upload a folder as one ``.tar.gz`` whose members lie at its root; False if the folder is empty.

        Equal contents give equal bytes: members are in order, without times, owners or compressor's time stamp.

        Raises:
            JobFailure: the bucket is not there, the disk is full.
        """
        with naming_the_reason():
            if next(self.tree.files(path), None) is None:
                return False
            bucket, key = parse_s3_uri(uri)
            with scratch.open("wb") as file:
                self._write_archive(path, file)
            self.objects.put_file(bucket, key, scratch, content_type="application/x-gzip", take=True)
            return True

    def _write_archive(self, path: str, file: IO[bytes]) -> None:
        with _Gzip(file) as gzip, tarfile.open(fileobj=gzip, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for entry in self.tree.files(path, self._skipped(path)):
                member = tarfile.TarInfo(entry.relative)
                state = entry.path.stat()
                member.size = state.st_size
                member.mode = 0o755 if state.st_mode & 0o100 else 0o644
                with entry.path.open("rb") as content:
                    archive.addfile(member, content)

    def _skipped(self, folder: str) -> Callable[[str], None]:
        return lambda name: self.note(f"{folder}/{name} is no regular file of the job's own: it is not uploaded")


class _Gzip(io.RawIOBase):
    """A gzip stream without a time in its header."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._compressor = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def write(self, data: Any) -> int:
        self._file.write(self._compressor.compress(data))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.write(self._compressor.flush())
        super().close()


@contextmanager
def naming_the_reason() -> Iterator[None]:
    """Turn what keeps an output from being stored into the reason of a failed job."""
    try:
        yield
    except AwsError as error:
        raise upload_failed(error.message) from error
    except OSError as error:
        raise upload_failed(f"{error.strerror}: {error.filename or 'data folder of the emulator'}") from error
    except sqlite3.OperationalError as error:
        raise upload_failed(str(error)) from error


def _join(prefix: str, relative: str) -> str:
    return f"{prefix}{'' if not prefix or prefix.endswith('/') else '/'}{relative}"
