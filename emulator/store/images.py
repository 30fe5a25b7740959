"""Container images by their manifests, the tags that name them, and the tokens that let clients at them."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass

from emulator.store.database import Database
from emulator.store.resources import Scope

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS ecr_images (id INTEGER PRIMARY KEY AUTOINCREMENT, repository TEXT NOT NULL,"
    " digest TEXT NOT NULL, manifest BLOB NOT NULL, media_type TEXT NOT NULL, artifact_type TEXT NOT NULL,"
    " layers TEXT NOT NULL, size INTEGER NOT NULL, pushed REAL NOT NULL, UNIQUE (repository, digest))",
    "CREATE TABLE IF NOT EXISTS ecr_tags (repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,"
    " PRIMARY KEY (repository, tag))",
    "CREATE TABLE IF NOT EXISTS ecr_tokens (token TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL,"
    " expires REAL NOT NULL)",
)
TOKEN_SECONDS = 12 * 3600
"""How long an authorization token is valid (Amazon ECR API Reference, GetAuthorizationToken)."""


@dataclass(frozen=True, slots=True)
class Image:
    """``layers`` are the digests that the manifest needs, ``size`` their bytes, ``pushed`` Unix seconds."""

    digest: str
    manifest: bytes
    media_type: str
    artifact_type: str
    layers: tuple[str, ...]
    size: int
    pushed: float
    tags: tuple[str, ...] = ()
    id: int = 0


class Images:
    """All images of one emulator. A ``repository`` is the ARN of one. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def put(self, repository: str, image: Image, tag: str) -> None:
        """Store an image, or the tag alone where it is there; a tag that another image had moves to it."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO ecr_images (repository, digest, manifest, media_type, artifact_type, layers,"
                " size, pushed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (repository, image.digest, image.manifest, image.media_type, image.artifact_type,
                 json.dumps(image.layers), image.size, image.pushed),
            )  # fmt: skip
            if tag:
                connection.execute("INSERT OR REPLACE INTO ecr_tags VALUES (?, ?, ?)", (repository, tag, image.digest))

    def find(self, repository: str, *, digest: str = "", tag: str = "") -> Image | None:
        """The image of a digest, of a tag, or of both if they belong together."""
        if tag:
            row = self.database.read_one(
                "SELECT digest FROM ecr_tags WHERE repository = ? AND tag = ?", (repository, tag)
            )
            if row is None or digest not in ("", row["digest"]):
                return None
            digest = row["digest"]
        row = self.database.read_one(
            "SELECT * FROM ecr_images WHERE repository = ? AND digest = ?", (repository, digest)
        )
        return self._image(row) if row else None

    def page(self, repository: str, after: int, limit: int) -> list[Image]:
        """Images in the order in which they were first pushed, those after an id."""
        rows = self.database.read(
            "SELECT * FROM ecr_images WHERE repository = ? AND id > ? ORDER BY id LIMIT ?", (repository, after, limit)
        )
        return [self._image(row) for row in rows]

    def all(self, repository: str) -> list[Image]:
        return self.page(repository, 0, -1)

    def tags(self, repository: str) -> list[str]:
        rows = self.database.read("SELECT tag FROM ecr_tags WHERE repository = ? ORDER BY tag", (repository,))
        return [row["tag"] for row in rows]

    def untag(self, repository: str, tag: str) -> None:
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM ecr_tags WHERE repository = ? AND tag = ?", (repository, tag))

    def delete(self, repository: str, digest: str | None = None) -> None:
        """Remove an image (all of them by default) with its tags; its layers are for the caller to drop."""
        where = "" if digest is None else " AND digest = ?"
        values = (repository,) if digest is None else (repository, digest)
        with self.database.transaction() as connection:
            connection.execute(f"DELETE FROM ecr_tags WHERE repository = ?{where}", values)
            connection.execute(f"DELETE FROM ecr_images WHERE repository = ?{where}", values)

    def issue_token(self, scope: Scope) -> tuple[str, float]:
        """A new token for a registry, and when it ends; tokens that have ended are forgotten."""
        token, expires = secrets.token_urlsafe(48), time.time() + TOKEN_SECONDS
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM ecr_tokens WHERE expires < ?", (time.time(),))
            connection.execute("INSERT INTO ecr_tokens VALUES (?, ?, ?, ?)",
                               (token, scope.account, scope.region, expires))  # fmt: skip
        return token, expires

    def scope_of_token(self, token: str) -> Scope | None:
        """The registry that a token is for; None if it has ended or was never issued."""
        row = self.database.read_one(
            "SELECT account, region FROM ecr_tokens WHERE token = ? AND expires > ?", (token, time.time())
        )
        return Scope(row["account"], row["region"]) if row else None

    def _image(self, row: sqlite3.Row) -> Image:
        tags = self.database.read(
            "SELECT tag FROM ecr_tags WHERE repository = ? AND digest = ? ORDER BY tag",
            (row["repository"], row["digest"]),
        )
        return Image(
            row["digest"],
            row["manifest"],
            row["media_type"],
            row["artifact_type"],
            tuple(json.loads(row["layers"])),
            row["size"],
            row["pushed"],
            tuple(item["tag"] for item in tags),
            row["id"],
        )
