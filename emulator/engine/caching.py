"""Step caching: a step whose arguments equal those of an earlier success takes over its result (``CacheConfig``).

What counts as equal is documented per step type (Developer Guide, "Default cache key attributes by pipeline step
type"): executors name these members of their request. Values are compared as they were resolved.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from emulator.engine.durations import parse_duration
from emulator.engine.errors import DefinitionError
from emulator.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS step_cache (
    pipeline  TEXT NOT NULL,
    step      TEXT NOT NULL,
    key       BLOB NOT NULL,
    execution TEXT NOT NULL,
    ended     REAL NOT NULL,
    PRIMARY KEY (pipeline, step, key)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """``CacheConfig`` of a step. ``expire_after``: seconds that a success may be old; None: any age."""

    expire_after: float | None = None


def read_cache_policy(document: dict[str, Any], step: str) -> CachePolicy | None:
    """The policy of a ``CacheConfig``, None if it leaves caching off.

    Raises:
        DefinitionError: it is malformed.
    """
    for member in document:
        if member not in ("Enabled", "ExpireAfter"):
            raise DefinitionError(f"Cannot parse object, unknown property '{member}'.", step=step, field="CacheConfig")
    enabled, expire_after = document.get("Enabled", False), document.get("ExpireAfter")
    if not isinstance(enabled, bool):
        raise DefinitionError("Expecting a boolean.", step=step, field="CacheConfig.Enabled")
    if expire_after is not None and not isinstance(expire_after, str):
        raise DefinitionError("Expecting a string.", step=step, field="CacheConfig.ExpireAfter")
    try:
        seconds = parse_duration(expire_after) if expire_after is not None else None
    except ValueError as error:
        raise DefinitionError(f"{error}.", step=step, field="CacheConfig.ExpireAfter") from None
    return CachePolicy(seconds) if enabled else None


def cache_key(values: dict[str, Any]) -> bytes:
    """What identifies the values that count of a step's resolved arguments."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class CacheHit:
    """The earlier success of a step that stands for this one; ``execution`` is the one that did the work."""

    execution: str
    arn: str
    metadata: dict[str, Any]
    properties: dict[str, Any]


class StepCache:
    """Of every pipeline, step and key the latest success: a look-up costs the same after any number of executions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:
            connection.execute(SCHEMA)

    def find(self, pipeline: str, step: str, key: bytes, since: float) -> CacheHit | None:
        """The latest success under a key that ended after ``since``."""
        row = self._database.read_one(
            "SELECT c.execution, s.arn, s.metadata, s.properties FROM step_cache c"
            " JOIN execution_steps s ON s.execution = c.execution AND s.name = c.step AND s.status = 'Succeeded'"
            " WHERE c.pipeline = ? AND c.step = ? AND c.key = ? AND c.ended >= ?",
            (pipeline, step, key, since),
        )
        if row is None:
            return None
        return CacheHit(row["execution"], row["arn"], json.loads(row["metadata"]), json.loads(row["properties"]))

    def remember(self, pipeline: str, step: str, key: bytes, execution: str, ended: float) -> None:
        """Note a success; call it in the transaction that writes it."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO step_cache VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET execution = excluded.execution, ended = excluded.ended WHERE excluded.ended >= ended",
                (pipeline, step, key, execution, ended),
            )

    def forget_pipeline(self, pipeline: str) -> None:
        """Remove what is known of a pipeline that is deleted."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM step_cache WHERE pipeline = ?", (pipeline,))
