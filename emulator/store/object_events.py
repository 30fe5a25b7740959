"""What happens to objects of buckets that tell of it: noted in the transaction that makes it happen, until sent.

A bucket tells of it if it has a notification configuration, which is one of its settings. Each note has a copy, so that
what was configured when it happened counts, and the note outlives the bucket.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from emulator.store.buckets import Buckets
from emulator.store.database import Database
from emulator.store.resources import Scope
from emulator.store.stored_objects import StoredObject

SCHEMA = """
CREATE TABLE IF NOT EXISTS object_events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    account       TEXT NOT NULL,
    region        TEXT NOT NULL,
    bucket        TEXT NOT NULL,
    key           TEXT NOT NULL,
    size          INTEGER,
    etag          TEXT,
    version       TEXT,
    at            REAL NOT NULL,
    request       TEXT NOT NULL,
    address       TEXT NOT NULL,
    configuration TEXT NOT NULL
);
"""
SETTING = "BucketNotification"
"""The name of the setting of a bucket that holds its configuration."""
TEST = "TestEvent"
_ETAG_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"
_What: TypeAlias = tuple[str, str, str | None, int | None, str | None]
"""Bucket, key, version, size and ETag."""


@dataclass(frozen=True, slots=True)
class Cause:
    """How a change came about: ``way`` is the last word of the event's name (Put, Copy …), where there are several."""

    way: str = "Put"
    request_id: str = ""
    address: str = "127.0.0.1"


WRITTEN_HERE = Cause()
"""A job wrote it, without a request."""


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """A note: ``name`` as S3 calls the event, without ``s3:``; ``at`` in Unix seconds.

    ``size`` and ``etag`` are None where S3 does not tell them, ``version`` where the object has none.
    """

    id: int
    name: str
    scope: Scope
    bucket: str
    key: str
    size: int | None
    etag: str | None
    version: str | None
    at: float
    request_id: str
    address: str
    configuration: dict[str, Any]


class ObjectEvents:
    """The table of notes; safe to share between threads."""

    def __init__(self, database: Database, buckets: Buckets) -> None:
        self._database = database
        self._buckets = buckets
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each commit that left a note; it must return at once."""
        self._listeners.append(listener)

    def created(self, stored: StoredObject, cause: Cause) -> None:
        what = (stored.bucket, stored.key, stored.version_id, stored.size, stored.etag)
        self._note(f"ObjectCreated:{cause.way}", what, cause)

    def marked(self, marker: StoredObject, cause: Cause) -> None:
        """A delete marker, whose ETag is that of nothing."""
        what = (marker.bucket, marker.key, marker.version_id, None, _ETAG_OF_NOTHING)
        self._note("ObjectRemoved:DeleteMarkerCreated", what, cause)

    def removed(self, bucket: str, key: str, version: str | None, cause: Cause) -> None:
        self._note("ObjectRemoved:Delete", (bucket, key, version, None, None), cause)

    def tagged(self, stored: StoredObject, cause: Cause) -> None:
        what = (stored.bucket, stored.key, stored.version_id, None, stored.etag)
        self._note(f"ObjectTagging:{cause.way}", what, cause)

    def configured(self, bucket: str, configuration: dict[str, Any], cause: Cause) -> None:
        """Keep a bucket's configuration; its queues and topics are sent a test.

        Raises:
            AwsError: NoSuchBucket.
        """
        with self._database.transaction():
            self._buckets.set_setting(bucket, SETTING, configuration)
            self._insert(TEST, (bucket, "", None, None, None), json.dumps(configuration), cause)

    def pending(self, limit: int) -> list[ObjectEvent]:
        """The oldest notes that nobody has taken."""
        rows = self._database.read("SELECT * FROM object_events ORDER BY id LIMIT ?", (limit,))
        return [_event(row) for row in rows]

    def taken(self, last: int) -> None:
        """Forget all notes up to this one."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM object_events WHERE id <= ?", (last,))

    def _note(self, name: str, what: _What, cause: Cause) -> None:
        """Called in the transaction of the change. Most buckets tell nothing: for them this is one look at an index."""
        row = self._database.read_one(
            "SELECT value FROM bucket_settings WHERE bucket = ? AND name = ?", (what[0], SETTING)
        )
        if row is not None and row["value"] != "{}":
            self._insert(name, what, row["value"], cause)

    def _insert(self, name: str, what: _What, configuration: str, cause: Cause) -> None:
        bucket = self._buckets.require(what[0])
        request_id = cause.request_id or secrets.token_hex(8).upper()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO object_events (name, bucket, key, version, size, etag, account, region, at, request,"
                " address, configuration) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (name, *what, bucket.account, bucket.region, time.time(), request_id, cause.address, configuration),
            )
            for listener in self._listeners:
                self._database.after_commit(listener)


def _event(row: sqlite3.Row) -> ObjectEvent:
    return ObjectEvent(
        row["id"],
        row["name"],
        Scope(row["account"], row["region"]),
        row["bucket"],
        row["key"],
        row["size"],
        row["etag"],
        row["version"],
        row["at"],
        row["request"],
        row["address"],
        json.loads(row["configuration"]),
    )
