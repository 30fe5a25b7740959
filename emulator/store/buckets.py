"""Buckets: whose they are, where, and whether they keep versions."""

from __future__ import annotations

import ipaddress
import json
import re
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from emulator.store.database import Database
from emulator.store.object_errors import bucket_not_empty, invalid_bucket_name, no_such_bucket
from emulator.store.resources import Scope

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    name       TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    region     TEXT NOT NULL,
    created    REAL NOT NULL,
    versioning TEXT NOT NULL DEFAULT '',
    tags       TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bucket_settings (
    bucket TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
"""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@dataclass(frozen=True, slots=True)
class Bucket:
    """``versioning`` is "" (never asked for), "Enabled" or "Suspended"; ``created`` is in Unix seconds."""

    name: str
    account: str
    region: str
    created: float
    versioning: str
    tags: dict[str, str]


class Buckets:
    """The table of buckets. Names are unique in the whole emulator, as they are in the whole of AWS."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, scope: Scope, name: str) -> bool:
        """Make a bucket; False if the name is taken.

        Raises:
            AwsError: InvalidBucketName.
        """
        if not valid_name(name):
            raise invalid_bucket_name(name)
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO buckets (name, account, region, created) VALUES (?, ?, ?, ?)",
                (name, scope.account, scope.region, time.time()),
            )
            return cursor.rowcount > 0

    def get(self, name: str) -> Bucket | None:
        row = self._database.read_one("SELECT * FROM buckets WHERE name = ?", (name,))
        return _bucket(row) if row else None

    def require(self, name: str) -> Bucket:
        """The bucket.

        Raises:
            AwsError: NoSuchBucket.
        """
        bucket = self.get(name)
        if bucket is None:
            raise no_such_bucket(name)
        return bucket

    def of_account(self, account: str) -> list[Bucket]:
        """An account's buckets of all regions, ordered by name."""
        rows = self._database.read("SELECT * FROM buckets WHERE account = ? ORDER BY name", (account,))
        return [_bucket(row) for row in rows]

    def delete(self, name: str) -> None:
        """Remove an empty bucket; versions and delete markers count, unfinished uploads do not.

        Raises:
            AwsError: NoSuchBucket, BucketNotEmpty.
        """
        with self._database.transaction() as connection:
            self.require(name)
            if connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                raise bucket_not_empty(name)
            connection.execute("DELETE FROM buckets WHERE name = ?", (name,))
            connection.execute("DELETE FROM bucket_settings WHERE bucket = ?", (name,))

    def set_versioning(self, name: str, status: str) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE buckets SET versioning = ? WHERE name = ?", (status, name))

    def set_tags(self, name: str, tags: dict[str, str]) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE buckets SET tags = ? WHERE name = ?", (json.dumps(tags) if tags else "", name))

    def setting(self, bucket: str, name: str) -> Any:
        """What ``set_setting`` kept of a bucket: a JSON value, None where that was deleted.

        Raises:
            AwsError: NoSuchBucket.
            KeyError: it was never set.
        """
        self.require(bucket)
        row = self._database.read_one("SELECT value FROM bucket_settings WHERE bucket = ? AND name = ?", (bucket, name))
        if row is None:
            raise KeyError(name)
        return json.loads(row["value"])

    def set_setting(self, bucket: str, name: str, value: Any) -> None:
        """
        Raises:
            AwsError: NoSuchBucket.
        """
        with self._database.transaction() as connection:
            self.require(bucket)
            connection.execute(
                "INSERT OR REPLACE INTO bucket_settings VALUES (?, ?, ?)", (bucket, name, json.dumps(value))
            )


def valid_name(name: str) -> bool:
    """Whether S3 would accept the name (Amazon S3 User Guide, "General purpose bucket naming rules")."""
    if not _NAME.fullmatch(name) or ".." in name or ".-" in name or "-." in name:
        return False
    return not (name.startswith(_RESERVED) or name.endswith(_RESERVED_ENDS) or _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _bucket(row: sqlite3.Row) -> Bucket:
    return Bucket(
        row["name"],
        row["account"],
        row["region"],
        row["created"],
        row["versioning"],
        json.loads(row["tags"]) if row["tags"] else {},
    )
