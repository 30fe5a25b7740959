"""One stored object version, as the index keeps it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_CONTENT_TYPE = "binary/octet-stream"
NULL_VERSION = "null"
"""What S3 calls the version of an object that was written while its bucket was not versioned."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    id           INTEGER PRIMARY KEY,
    bucket       TEXT NOT NULL,
    key          TEXT NOT NULL,
    version      TEXT NOT NULL,
    latest       INTEGER NOT NULL,
    marker       INTEGER NOT NULL DEFAULT 0,
    size         INTEGER NOT NULL DEFAULT 0,
    etag         TEXT NOT NULL DEFAULT '',
    modified     REAL NOT NULL,
    blob         TEXT,
    content_type TEXT NOT NULL DEFAULT '',
    details      TEXT NOT NULL DEFAULT '',
    parts        TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS objects_latest ON objects (bucket, key) WHERE latest;
CREATE INDEX IF NOT EXISTS objects_versions ON objects (bucket, key, id DESC);
CREATE INDEX IF NOT EXISTS objects_blobs ON objects (blob);
"""

COLUMNS = "id, bucket, key, version, latest, marker, size, etag, modified, blob, content_type, details"
"""Everything but ``parts``, which can be long and is seldom asked for."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """``value`` as S3 prints it; ``kind`` is FULL_OBJECT or COMPOSITE."""

    algorithm: str
    value: str
    kind: str = "FULL_OBJECT"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a client says about an object. ``system`` has S3's members, such as ``CacheControl``, by name."""

    content_type: str = DEFAULT_CONTENT_TYPE
    metadata: Mapping[str, str] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart upload, or of the object it became."""

    number: int
    size: int
    etag: str = ""
    checksum: str = ""
    modified: float = 0.0
    blob: str = ""
    offset: int | None = None
    """Where the part begins in a blob that it shares with other parts; None if the blob is its own."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A version of an object, or a delete marker. ``etag`` has no quotes; ``last_modified`` is in Unix seconds."""

    bucket: str
    key: str
    size: int
    etag: str
    last_modified: float
    version_id: str | None
    content_type: str
    metadata: dict[str, str]
    blob: str
    system: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    checksum: Checksum | None = None
    part_count: int = 0
    latest: bool = True
    delete_marker: bool = False
    id: int = 0

    @property
    def attributes(self) -> Attributes:
        return Attributes(self.content_type, self.metadata, self.system, self.tags)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Content:
    """A finished blob with what was learned while it was written, before a row makes it an object."""

    blob: str
    size: int
    etag: str
    checksum: Checksum | None = None
    parts: tuple[Part, ...] = ()
    offset: int | None = None
    """As that of the ``Part`` which this becomes."""


def details_of(attributes: Attributes, checksum: Checksum | None, parts: int) -> str:
    """The JSON column of a row: only what is there."""
    details: dict[str, Any] = {
        "metadata": dict(attributes.metadata),
        "system": dict(attributes.system),
        "tags": dict(attributes.tags),
        "checksum": [checksum.algorithm, checksum.value, checksum.kind] if checksum else None,
        "parts": parts,
    }
    present = {name: value for name, value in details.items() if value}
    return json.dumps(present) if present else ""


def parts_column(parts: tuple[Part, ...]) -> str:
    return json.dumps([[part.number, part.size, part.checksum] for part in parts]) if parts else ""


def parts_from_column(text: str) -> list[Part]:
    return [Part(number, size, checksum=checksum) for number, size, checksum in json.loads(text)] if text else []


def from_row(row: sqlite3.Row) -> StoredObject:
    """The object of a row with ``COLUMNS``, in their order."""
    id_, bucket, key, version, latest, marker, size, etag, modified, blob, content_type, text = row
    details = json.loads(text) if text else {}
    checksum = details.get("checksum")
    return StoredObject(
        bucket,
        key,
        size,
        etag,
        modified,
        None if version == NULL_VERSION else version,
        content_type,
        details.get("metadata", {}),
        blob or "",
        details.get("system", {}),
        details.get("tags", {}),
        Checksum(*checksum) if checksum else None,
        details.get("parts", 0),
        bool(latest),
        bool(marker),
        id_,
    )
