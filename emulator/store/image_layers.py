"""The layers of container images: files named by their content, and the uploads that become such files.

A layer's file is complete before it has its name, and it counts for a repository once a row says so. The length of an
upload's file is all there is to know about how far it came, so an upload goes on after a crash where it was broken off.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from emulator.store.database import Database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS ecr_layers (repository TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,"
    " PRIMARY KEY (repository, digest))",
    "CREATE INDEX IF NOT EXISTS ecr_layers_by_digest ON ecr_layers (digest)",
    "CREATE TABLE IF NOT EXISTS ecr_uploads (id TEXT PRIMARY KEY, repository TEXT NOT NULL, started REAL NOT NULL)",
)
LARGEST = 52_000 << 20
"""Bytes of one layer (Amazon ECR User Guide, "Amazon ECR service quotas")."""
UPLOAD_SECONDS = 24 * 3600


class UploadError(Exception):
    """A part does not follow what has come, or what has come is not the layer that it was to be."""


@dataclass(frozen=True, slots=True)
class Layer:
    digest: str
    size: int


class ImageLayers:
    """All layers and uploads of one emulator. A ``repository`` is the ARN of one. Safe to share between threads."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._layers = root / "layers"
        self._uploads = root / "uploads"
        self._changing = threading.Lock()
        self._layers.mkdir(parents=True, exist_ok=True)
        self._uploads.mkdir(parents=True, exist_ok=True)
        with database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)
        self._sweep()

    def find(self, repository: str, digest: str) -> Layer | None:
        row = self._database.read_one(
            "SELECT size FROM ecr_layers WHERE repository = ? AND digest = ?", (repository, digest)
        )
        return Layer(digest, row["size"]) if row else None

    def path(self, digest: str) -> Path:
        """The file of a layer; its name is the hexadecimal part of the digest."""
        return self._layers / digest.rpartition(":")[2]

    def begin(self, repository: str) -> str:
        """Begin an upload; its id."""
        upload = str(uuid.uuid4())
        (self._uploads / upload).touch()
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO ecr_uploads VALUES (?, ?, ?)", (upload, repository, time.time()))
        return upload

    def size(self, repository: str, upload: str) -> int | None:
        """Bytes that an upload has; None if there is no such upload."""
        row = self._database.read_one(
            "SELECT id FROM ecr_uploads WHERE id = ? AND repository = ?", (upload, repository)
        )
        with suppress(FileNotFoundError):
            return (self._uploads / row["id"]).stat().st_size if row else None
        return None

    def append(self, upload: str, data: bytes, first: int | None = None) -> int:
        """Add bytes to an upload, at ``first`` if that is given; the bytes that it has then.

        Raises:
            UploadError: ``first`` is not where the upload ends, the layer becomes too large, or the upload is over.
        """
        with self._changing, self._open(upload) as file:
            size = file.seek(0, os.SEEK_END)
            if first not in (None, size):
                raise UploadError(f"the next byte of the upload is {size}, not {first}")
            if size + len(data) > LARGEST:
                raise UploadError(f"a layer has at most {LARGEST} bytes")
            file.write(data)
            return file.tell()

    def complete(self, repository: str, upload: str, digest: str) -> Layer:
        """Make the layer of an upload that has all its bytes; an upload of one that is there already just ends.

        Raises:
            UploadError: its content has another digest; the upload is over.
        """
        with self._open(upload) as file:
            found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            size = file.tell()
        with self._changing:
            if found != digest or self.size(repository, upload) != size:
                self.cancel(upload)
                reason = f"its digest is {found}, not {digest}" if found != digest else "it has changed meanwhile"
                raise UploadError(reason)
            (self._uploads / upload).replace(self.path(digest))
            with self._database.transaction() as connection:
                connection.execute("INSERT OR IGNORE INTO ecr_layers VALUES (?, ?, ?)", (repository, digest, size))
                connection.execute("DELETE FROM ecr_uploads WHERE id = ?", (upload,))
        return Layer(digest, size)

    def cancel(self, upload: str) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM ecr_uploads WHERE id = ?", (upload,))
        (self._uploads / upload).unlink(missing_ok=True)

    def drop(self, repository: str, digests: Iterable[str] | None = None) -> None:
        """Take layers (all of them by default) out of a repository; files that no repository has go."""
        with self._database.transaction() as connection:
            where = "repository = ?" if digests is None else "repository = ? AND digest = ?"
            values = [(repository,)] if digests is None else [(repository, digest) for digest in digests]
            dropped = [
                row["digest"]
                for each in values
                for row in connection.execute(f"DELETE FROM ecr_layers WHERE {where} RETURNING digest", each).fetchall()
            ]
            kept = {digest for digest in dropped if self._is_kept(digest)}
        for digest in set(dropped) - kept:
            self.path(digest).unlink(missing_ok=True)

    def _open(self, upload: str) -> BufferedRandom:
        try:
            return (self._uploads / upload).open("r+b")
        except FileNotFoundError as error:
            raise UploadError("the upload is over") from error

    def _is_kept(self, digest: str) -> bool:
        return self._database.read_one("SELECT 1 FROM ecr_layers WHERE digest = ?", (digest,)) is not None

    def _sweep(self) -> None:
        """Forget uploads that nobody goes on with, and files that no row names."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM ecr_uploads WHERE started < ?", (time.time() - UPLOAD_SECONDS,))
        uploads = {row["id"] for row in self._database.read("SELECT id FROM ecr_uploads")}
        layers = {self.path(row["digest"]).name for row in self._database.read("SELECT digest FROM ecr_layers")}
        for folder, known in ((self._uploads, uploads), (self._layers, layers)):
            for path in folder.iterdir():
                if path.name not in known:
                    path.unlink(missing_ok=True)
