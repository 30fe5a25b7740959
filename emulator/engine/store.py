"""What the engine keeps in the database: the steps of executions, next to versions of pipelines and the step cache.

An execution itself is a resource of kind ``pipeline-execution``; its steps are rows here, because a step that
changes must not rewrite its thousand siblings. Rows are written in the order in which steps start.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from emulator.engine.caching import StepCache
from emulator.engine.definition import StepDefinition
from emulator.engine.expressions import as_text
from emulator.engine.transitions import ENDED, step_rule
from emulator.engine.versions import Versions
from emulator.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS execution_steps (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    execution  TEXT NOT NULL,
    name       TEXT NOT NULL,
    type       TEXT NOT NULL,
    status     TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    started    REAL NOT NULL,
    ended      REAL,
    arn        TEXT NOT NULL DEFAULT '',
    reason     TEXT NOT NULL DEFAULT '',
    display    TEXT NOT NULL,
    handle     TEXT NOT NULL,
    arguments  TEXT NOT NULL,
    metadata   TEXT NOT NULL DEFAULT '{}',
    properties TEXT NOT NULL DEFAULT '{}',
    retries    TEXT NOT NULL DEFAULT '{}',
    UNIQUE (execution, name)
);
CREATE INDEX IF NOT EXISTS execution_steps_in_order ON execution_steps (execution, id);
"""


ITERATION = "IterationContext"
MAX_ITEM = 12800
"""Characters of an item that the API shows."""


@dataclass(slots=True)
class StepRecord:
    """A row: one step of one execution that has at least begun. Times are Unix seconds."""

    execution: str
    name: str
    type: str
    status: str
    attempt: int
    started: float
    ended: float | None = None
    arn: str = ""
    reason: str = ""
    display: dict[str, Any] = field(default_factory=dict)
    handle: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    retries: dict[str, Any] = field(default_factory=dict)
    id: int = 0


class ExecutionStore:
    """Versions and steps in ``state.db``; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.cache = StepCache(database)
        self.versions = Versions(database)
        with database.transaction() as connection:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            _add_missing_columns(connection)

    def forget_pipeline(self, pipeline: str) -> None:
        """Remove the versions of a pipeline, and the results that its steps could have taken over."""
        with self.database.transaction():
            self.versions.forget_pipeline(pipeline)
            self.cache.forget_pipeline(pipeline)

    def forget_execution(self, execution: str) -> None:
        """Remove the steps of an execution."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM execution_steps WHERE execution = ?", (execution,))

    def forget_steps(self, execution: str, names: Iterable[str]) -> None:
        """Remove some steps of an execution, as if they had not begun."""
        with self.database.transaction() as connection:
            connection.executemany(
                "DELETE FROM execution_steps WHERE execution = ? AND name = ?", [(execution, name) for name in names]
            )

    def steps(self, execution: str) -> list[StepRecord]:
        """Every step that has begun, in order, without what is heavy: ``arguments`` and ``properties``."""
        rows = self.database.read(f"SELECT {_LIGHT} FROM execution_steps WHERE execution = ? ORDER BY id", (execution,))
        return [_record(row) for row in rows]

    def page(
        self, execution: str, *, descending: bool, limit: int, after: int | None
    ) -> tuple[list[StepRecord], int | None]:
        """One page of steps by the time they started, and the id to go on after."""
        order, sign = ("DESC", "<") if descending else ("ASC", ">")
        rows = self.database.read(
            f"SELECT {_LIGHT} FROM execution_steps WHERE execution = ? AND (? IS NULL OR id {sign} ?)"
            f" ORDER BY id {order} LIMIT ?",
            (execution, after, after, limit + 1),
        )
        records = [_record(row) for row in rows[:limit]]
        return records, records[-1].id if len(rows) > limit else None

    def arguments(self, execution: str, step: str) -> dict[str, Any]:
        """The resolved arguments of a step."""
        return self._column("arguments", execution, step)

    def properties(self, execution: str, step: str) -> dict[str, Any]:
        """The properties of a step that has succeeded."""
        return self._column("properties", execution, step)

    def _column(self, column: str, execution: str, step: str) -> dict[str, Any]:
        row = self.database.read_one(
            f"SELECT {column} AS document FROM execution_steps WHERE execution = ? AND name = ?", (execution, step)
        )
        document: dict[str, Any] = json.loads(row["document"]) if row else {}
        return document

    def begin(self, record: StepRecord) -> None:
        """Write a step that begins. Its handle and arguments never change after."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO execution_steps (execution, name, type, status, attempt, started, ended, arn, reason,"
                " display, handle, arguments, metadata, properties) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.execution,
                    record.name,
                    record.type,
                    record.status,
                    record.attempt,
                    record.started,
                    record.ended,
                    record.arn,
                    record.reason,
                    *map(_dump, (record.display, record.handle, record.arguments, record.metadata, record.properties)),
                ),
            )

    def begin_again(self, record: StepRecord, before: str) -> None:
        """Write that a step's work is tried anew: another attempt, with a handle of its own, that is yet to launch."""
        step_rule(before, record.status)
        with self.database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE execution_steps SET status = ?, attempt = ?, arn = '', reason = ?, handle = ?, arguments = ?,"
                " metadata = '{}', retries = ? WHERE execution = ? AND name = ? AND status = ?",
                (
                    record.status,
                    record.attempt,
                    record.reason,
                    *map(_dump, (record.handle, record.arguments, record.retries)),
                    record.execution,
                    record.name,
                    before,
                ),
            )
            assert cursor.rowcount == 1, f"step {record.name} of {record.execution} is not {before}"

    def change(
        self,
        execution: str,
        step: str,
        before: str,
        after: str,
        *,
        arn: str = "",
        reason: str = "",
        metadata: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> None:
        """Bring a step from one state to another; sets its end if it ends. An empty ``arn`` and None keep what is."""
        step_rule(before, after)
        with self.database.transaction() as connection:
            cursor = connection.execute(
                "UPDATE execution_steps SET status = ?, ended = ?, reason = ?, arn = coalesce(nullif(?, ''), arn),"
                " metadata = coalesce(?, metadata), properties = coalesce(?, properties)"
                " WHERE execution = ? AND name = ? AND status = ?",
                (
                    after,
                    time.time() if after in ENDED else None,
                    reason,
                    arn,
                    _dump(metadata) if metadata else None,
                    _dump(properties) if properties else None,
                    execution,
                    step,
                    before,
                ),
            )
            assert cursor.rowcount == 1, f"step {step} of {execution} is not {before}"


_LIGHT = "id, execution, name, type, status, attempt, started, ended, arn, reason, display, handle, metadata, retries"


_ADDED_COLUMNS = {"retries": "TEXT NOT NULL DEFAULT '{}'"}
"""Columns of ``execution_steps`` that databases of earlier versions lack."""


def _add_missing_columns(connection: sqlite3.Connection) -> None:
    present = {row["name"] for row in connection.execute("PRAGMA table_info(execution_steps)")}
    for name in _ADDED_COLUMNS.keys() - present:
        connection.execute(f"ALTER TABLE execution_steps ADD COLUMN {name} {_ADDED_COLUMNS[name]}")


def display_of(step: StepDefinition) -> dict[str, Any]:
    """What the API shows of a step besides its name."""
    shown: dict[str, Any] = {"StepDisplayName": step.display_name, "StepDescription": step.description}
    if step.iteration is not None:
        item = as_text(step.iteration.item)[:MAX_ITEM]
        shown[ITERATION] = {"ParentStepName": step.iteration.parent, "Index": step.iteration.index, "Item": item}
    return {key: value for key, value in shown.items() if value is not None}


def _dump(document: dict[str, Any]) -> str:
    return json.dumps(document)


def _documents(row: sqlite3.Row) -> Iterator[tuple[str, Any]]:
    for column in ("display", "handle", "metadata", "retries"):
        yield column, json.loads(row[column])


def _record(row: sqlite3.Row) -> StepRecord:
    return StepRecord(**{**dict(row), **dict(_documents(row))})
