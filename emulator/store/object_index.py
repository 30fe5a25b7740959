"""The rows of the object index: which version of a key is the latest, and which blob holds it."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable

from emulator.store.buckets import Bucket, Buckets
from emulator.store.database import Database
from emulator.store.object_errors import key_too_long
from emulator.store.object_events import WRITTEN_HERE, Cause, ObjectEvents
from emulator.store.stored_objects import (
    COLUMNS,
    NULL_VERSION,
    Attributes,
    Content,
    Part,
    StoredObject,
    details_of,
    from_row,
    parts_column,
    parts_from_column,
)

MAX_KEY_BYTES = 1024

Condition = Callable[[StoredObject | None], None]
"""Raises if the current version of an object, or its absence, forbids a write."""


class ObjectIndex:
    """The table of object versions; safe to share between threads. Methods that drop rows return their blobs."""

    def __init__(self, database: Database, buckets: Buckets, events: ObjectEvents) -> None:
        self._database = database
        self._buckets = buckets
        self._events = events

    def latest(self, bucket: str, key: str) -> StoredObject | None:
        """The latest version of a key, which may be a delete marker."""
        row = self._database.read_one(
            f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key = ? AND latest", (bucket, key)
        )
        return from_row(row) if row else None

    def version(self, bucket: str, key: str, version_id: str) -> StoredObject | None:
        """One version of a key, which may be a delete marker; ``"null"`` names the unversioned one."""
        row = self._database.read_one(
            f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key = ? AND version = ?", (bucket, key, version_id)
        )
        return from_row(row) if row else None

    def head(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject | None:
        """An object, or None if there is none, or a delete marker stands in its place."""
        stored = self.version(bucket, key, version_id) if version_id else self.latest(bucket, key)
        return None if stored is None or stored.delete_marker else stored

    def parts(self, stored: StoredObject) -> list[Part]:
        """The parts of which a multipart object was made."""
        row = self._database.read_one("SELECT parts FROM objects WHERE id = ?", (stored.id,))
        return parts_from_column(row["parts"]) if row else []

    def put(
        self,
        bucket: str,
        key: str,
        content: Content,
        attributes: Attributes,
        condition: Condition | None = None,
        also: Callable[[], Iterable[str]] = tuple,
        cause: Cause = WRITTEN_HERE,
    ) -> tuple[StoredObject, list[str]]:
        """Make content the latest version of a key. ``condition`` and ``also`` run in the same transaction.

        Raises:
            AwsError: NoSuchBucket, KeyTooLongError, or what ``condition`` raises.
        """
        with self._database.transaction() as connection:
            owner = self._check(bucket, key)
            if condition is not None:
                condition(self.head(bucket, key))
            dropped = self._retire(connection, owner, key)
            stored = _insert(connection, owner, key, content, attributes)
            self._events.created(stored, cause)
            return stored, [*dropped, *also()]

    def delete(
        self, bucket: str, key: str, condition: Condition | None, cause: Cause = WRITTEN_HERE
    ) -> tuple[StoredObject | None, list[str]]:
        """Delete a key: with a marker, which is returned, where the bucket keeps versions."""
        with self._database.transaction() as connection:
            owner = self._check(bucket, key)
            if condition is not None:
                condition(self.head(bucket, key))
            dropped = self._retire(connection, owner, key)
            if owner.versioning:
                marker = _insert(connection, owner, key, None, Attributes())
                self._events.marked(marker, cause)
                return marker, dropped
            if dropped:
                self._events.removed(bucket, key, None, cause)
            return None, dropped

    def delete_version(
        self, bucket: str, key: str, version_id: str, condition: Condition | None, cause: Cause = WRITTEN_HERE
    ) -> tuple[StoredObject | None, list[str]]:
        """Remove one version for good and return it; the newest that remains becomes the latest."""
        with self._database.transaction() as connection:
            stored = self.version(bucket, key, version_id)
            if condition is not None:
                condition(stored)
            if stored is None:
                return None, []
            connection.execute("DELETE FROM objects WHERE id = ?", (stored.id,))
            if stored.latest:
                connection.execute(
                    "UPDATE objects SET latest = 1 WHERE id ="
                    " (SELECT id FROM objects WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1)",
                    (bucket, key),
                )
            self._events.removed(bucket, key, stored.version_id, cause)
            return stored, [stored.blob] if stored.blob else []

    def set_tags(self, stored: StoredObject, tags: dict[str, str], cause: Cause = WRITTEN_HERE) -> None:
        attributes = Attributes(stored.content_type, stored.metadata, stored.system, tags)
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE objects SET details = ? WHERE id = ?",
                (details_of(attributes, stored.checksum, stored.part_count), stored.id),
            )
            self._events.tagged(stored, cause)

    def has_blob(self, blob: str) -> bool:
        return self._database.read_one("SELECT 1 FROM objects WHERE blob = ?", (blob,)) is not None

    def check_key(self, key: str) -> None:
        """Refuse a key that is too long.

        Raises:
            AwsError: KeyTooLongError.
        """
        size = len(key.encode())
        if size > MAX_KEY_BYTES:
            raise key_too_long(size, MAX_KEY_BYTES)

    def _check(self, bucket: str, key: str) -> Bucket:
        self.check_key(key)
        return self._buckets.require(bucket)

    def _retire(self, connection: sqlite3.Connection, bucket: Bucket, key: str) -> list[str]:
        """Make room for a new latest version; the blobs that lose their row."""
        replaced = []
        if bucket.versioning != "Enabled":
            where = (bucket.name, key, NULL_VERSION)
            rows = connection.execute(
                "DELETE FROM objects WHERE bucket = ? AND key = ? AND version = ? RETURNING blob", where
            ).fetchall()
            replaced = [row["blob"] for row in rows if row["blob"]]
        connection.execute("UPDATE objects SET latest = 0 WHERE bucket = ? AND key = ? AND latest", (bucket.name, key))
        return replaced


def _insert(
    connection: sqlite3.Connection, bucket: Bucket, key: str, content: Content | None, attributes: Attributes
) -> StoredObject:
    """Insert the latest version of a key; without content, a delete marker."""
    version = secrets.token_urlsafe(24) if bucket.versioning == "Enabled" else NULL_VERSION
    given = content or Content("", 0, "")
    row = connection.execute(
        "INSERT INTO objects (bucket, key, version, latest, marker, size, etag, modified, blob, content_type, details,"
        f" parts) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {COLUMNS}",
        (
            bucket.name,
            key,
            version,
            content is None,
            given.size,
            given.etag,
            time.time(),
            given.blob or None,
            attributes.content_type,
            details_of(attributes, given.checksum, len(given.parts)),
            parts_column(given.parts),
        ),
    ).fetchone()
    return from_row(row)
