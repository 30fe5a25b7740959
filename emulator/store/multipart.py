"""Multipart uploads under way: what they will become, and the parts that have arrived."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass

from emulator.store.database import Database
from emulator.store.object_errors import no_such_upload
from emulator.store.stored_objects import Attributes, Part

SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
    id            TEXT PRIMARY KEY,
    bucket        TEXT NOT NULL,
    key           TEXT NOT NULL,
    account       TEXT NOT NULL,
    initiated     REAL NOT NULL,
    algorithm     TEXT NOT NULL,
    checksum_kind TEXT NOT NULL,
    attributes    TEXT NOT NULL,
    blob          TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, initiated, id);
CREATE TABLE IF NOT EXISTS upload_parts (
    upload   TEXT NOT NULL,
    number   INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    etag     TEXT NOT NULL,
    checksum TEXT NOT NULL,
    modified REAL NOT NULL,
    blob     TEXT NOT NULL,
    place    INTEGER,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_blobs ON uploads (blob);
CREATE INDEX IF NOT EXISTS upload_parts_blobs ON upload_parts (blob);
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload will become. ``algorithm`` is "" where the client left the choice of a checksum to S3."""

    id: str
    bucket: str
    key: str
    account: str
    initiated: float
    algorithm: str
    checksum_kind: str
    attributes: Attributes
    blob: str
    """The file that parts are put together in; it is there once the first has begun to come."""


class Uploads:
    """The tables of uploads and their parts; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        bucket: str,
        key: str,
        account: str,
        attributes: Attributes,
        algorithm: str,
        checksum_kind: str,
        blob: str,
    ) -> Upload:
        upload = Upload(
            secrets.token_urlsafe(48), bucket, key, account, time.time(), algorithm, checksum_kind, attributes, blob
        )
        document = json.dumps(
            {
                "content_type": attributes.content_type,
                "metadata": dict(attributes.metadata),
                "system": dict(attributes.system),
                "tags": dict(attributes.tags),
            }
        )
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (upload.id, bucket, key, account, upload.initiated, algorithm, checksum_kind, document, blob),
            )
        return upload

    def require(self, bucket: str, key: str, upload_id: str) -> Upload:
        """The upload.

        Raises:
            AwsError: NoSuchUpload.
        """
        row = self._database.read_one(
            "SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?", (upload_id, bucket, key)
        )
        if row is None:
            raise no_such_upload(upload_id)
        return _upload(row)

    def put_part(self, upload: Upload, part: Part) -> list[str]:
        """Record a part; the blobs of the part it replaces, to be removed.

        Raises:
            AwsError: NoSuchUpload: the upload has ended meanwhile.
        """
        with self._database.transaction() as connection:
            self.require(upload.bucket, upload.key, upload.id)
            replaced = connection.execute(
                "SELECT blob FROM upload_parts WHERE upload = ? AND number = ? AND place IS NULL",
                (upload.id, part.number),
            ).fetchall()
            connection.execute(
                "INSERT OR REPLACE INTO upload_parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (upload.id, part.number, part.size, part.etag, part.checksum, part.modified, part.blob, part.offset),
            )
        return [row["blob"] for row in replaced]

    def parts(self, upload_id: str, after: int = 0, limit: int = -1) -> list[Part]:
        rows = self._database.read(
            "SELECT number, size, etag, checksum, modified, blob, place FROM upload_parts"
            " WHERE upload = ? AND number > ? ORDER BY number LIMIT ?",
            (upload_id, after, limit),
        )
        return [Part(*row) for row in rows]

    def end(self, upload: Upload) -> list[str]:
        """Forget an upload, completed or aborted; the blobs of its parts, to be removed.

        Raises:
            AwsError: NoSuchUpload: it has ended already.
        """
        with self._database.transaction() as connection:
            self.require(upload.bucket, upload.key, upload.id)
            blobs = connection.execute("SELECT blob FROM upload_parts WHERE upload = ?", (upload.id,)).fetchall()
            connection.execute("DELETE FROM upload_parts WHERE upload = ?", (upload.id,))
            connection.execute("DELETE FROM uploads WHERE id = ?", (upload.id,))
        return [upload.blob, *{row["blob"] for row in blobs} - {upload.blob}]

    def of_bucket(self, bucket: str, prefix: str = "") -> list[Upload]:
        """Uploads under way, ordered by key, then by the time they began."""
        rows = self._database.read(
            "SELECT * FROM uploads WHERE bucket = ? AND key >= ? ORDER BY key, initiated, id", (bucket, prefix)
        )
        return [_upload(row) for row in rows if row["key"].startswith(prefix)]

    def has_blob(self, blob: str) -> bool:
        found = "SELECT 1 FROM uploads WHERE blob = ?1 UNION ALL SELECT 1 FROM upload_parts WHERE blob = ?1"
        return self._database.read_one(found, (blob,)) is not None


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(
        row["id"],
        row["bucket"],
        row["key"],
        row["account"],
        row["initiated"],
        row["algorithm"],
        row["checksum_kind"],
        Attributes(**json.loads(row["attributes"])),
        row["blob"],
    )
