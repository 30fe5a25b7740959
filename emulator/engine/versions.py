"""Versions of pipelines: each change of a definition makes one; aliases name some of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS pipeline_versions (
    pipeline       TEXT NOT NULL,
    version        INTEGER NOT NULL,
    definition     TEXT NOT NULL,
    created        REAL NOT NULL,
    display_name   TEXT,
    description    TEXT,
    last_execution TEXT,
    PRIMARY KEY (pipeline, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pipeline_aliases (
    pipeline TEXT NOT NULL,
    alias    TEXT NOT NULL,
    version  INTEGER NOT NULL,
    PRIMARY KEY (pipeline, alias)
) WITHOUT ROWID;
"""
_LARGEST = 2**63 - 1
"""The API takes longer numbers than a row can have."""
_ADDED_COLUMNS = ("display_name", "description", "last_execution")
_SUMMARY = "pipeline, version, '' AS definition, created, display_name, description, last_execution"


@dataclass(frozen=True, slots=True)
class Version:
    """A row; ``definition`` is empty in lists. Times are Unix seconds."""

    pipeline: str
    version: int
    definition: str
    created: float
    display_name: str | None = None
    description: str | None = None
    last_execution: str | None = None


class Versions:
    """The versions of every pipeline, by its ARN; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            _add_missing_columns(connection)

    def add(self, pipeline: str, definition: str) -> int:
        """Keep a definition as the next version of a pipeline; its number. The same text is the same version."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT version, definition FROM pipeline_versions WHERE pipeline = ? ORDER BY version DESC LIMIT 1",
                (pipeline,),
            ).fetchone()
            if row is not None and row["definition"] == definition:
                return int(row["version"])
            version = 1 if row is None else int(row["version"]) + 1
            connection.execute(
                "INSERT INTO pipeline_versions (pipeline, version, definition, created) VALUES (?, ?, ?, ?)",
                (pipeline, version, definition, time.time()),
            )
            return version

    def get(self, pipeline: str, version: int) -> Version | None:
        if version > _LARGEST:
            return None
        row = self._database.read_one(
            "SELECT * FROM pipeline_versions WHERE pipeline = ? AND version = ?", (pipeline, version)
        )
        return Version(**dict(row)) if row else None

    def page(
        self,
        pipeline: str,
        *,
        descending: bool,
        limit: int,
        after: int | None = None,
        created_after: float | None = None,
        created_before: float | None = None,
    ) -> tuple[list[Version], int | None]:
        """One page of versions in the order they were made, and the number to go on after."""
        order, sign = ("DESC", "<") if descending else ("ASC", ">")
        rows = self._database.read(
            f"SELECT {_SUMMARY} FROM pipeline_versions WHERE pipeline = ? AND (? IS NULL OR version {sign} ?)"
            f" AND (? IS NULL OR created > ?) AND (? IS NULL OR created < ?) ORDER BY version {order} LIMIT ?",
            (pipeline, after, after, created_after, created_after, created_before, created_before, limit + 1),
        )
        versions = [Version(**dict(row)) for row in rows[:limit]]
        return versions, versions[-1].version if len(rows) > limit else None

    def describe(self, pipeline: str, version: int, display_name: str | None, description: str | None) -> None:
        """Change what a version is called; None leaves it."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE pipeline_versions SET display_name = coalesce(?, display_name),"
                " description = coalesce(?, description) WHERE pipeline = ? AND version = ?",
                (display_name, description, pipeline, version),
            )

    def started(self, pipeline: str, version: int, execution: str) -> None:
        """Note the latest execution of a version; call it in the transaction that makes it."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE pipeline_versions SET last_execution = ? WHERE pipeline = ? AND version = ?",
                (execution, pipeline, version),
            )

    def aliases(self, pipeline: str) -> dict[str, int]:
        """The version of every alias of a pipeline, ordered by alias."""
        rows = self._database.read(
            "SELECT alias, version FROM pipeline_aliases WHERE pipeline = ? ORDER BY alias", (pipeline,)
        )
        return {row["alias"]: row["version"] for row in rows}

    def set_aliases(self, pipeline: str, version: int, add: Sequence[str], remove: Sequence[str] = ()) -> None:
        """Take aliases from a version and give it others, which no version may have."""
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM pipeline_aliases WHERE pipeline = ? AND alias = ? AND version = ?",
                [(pipeline, alias, version) for alias in remove],
            )
            connection.executemany(
                "INSERT INTO pipeline_aliases VALUES (?, ?, ?)", [(pipeline, alias, version) for alias in add]
            )

    def forget_pipeline(self, pipeline: str) -> None:
        """Remove the versions and aliases of a pipeline."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM pipeline_versions WHERE pipeline = ?", (pipeline,))
            connection.execute("DELETE FROM pipeline_aliases WHERE pipeline = ?", (pipeline,))


def _add_missing_columns(connection: sqlite3.Connection) -> None:
    present = {row["name"] for row in connection.execute("PRAGMA table_info(pipeline_versions)")}
    for name in _ADDED_COLUMNS:
        if name not in present:
            connection.execute(f"ALTER TABLE pipeline_versions ADD COLUMN {name} TEXT")
