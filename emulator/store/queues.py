"""SQS queues and what waits for their messages; the messages themselves are in ``store.messages``."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.store.database import Database
from emulator.store.resources import Scope

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS queues (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"
    " region TEXT NOT NULL, name TEXT NOT NULL, attributes TEXT NOT NULL, created REAL NOT NULL,"
    " modified REAL NOT NULL, UNIQUE (account, region, name))",
)


@dataclass(frozen=True, slots=True)
class Queue:
    """``attributes`` are those that were set, by AWS's names and as AWS's strings; times are Unix seconds."""

    id: int
    scope: Scope
    name: str
    attributes: dict[str, str]
    created: float
    modified: float

    @property
    def arn(self) -> str:
        return queue_arn(self.scope, self.name)

    @property
    def fifo(self) -> bool:
        return self.attributes.get("FifoQueue") == "true"

    def seconds(self, attribute: str) -> int:
        """An attribute that is a number, by default AWS's default."""
        return int(self.attributes.get(attribute, DEFAULTS.get(attribute, "0")))

    @property
    def redrive(self) -> tuple[str, int] | None:
        """The ARN of the dead-letter queue, and how often a message is received before it goes there."""
        text = self.attributes.get("RedrivePolicy")
        if not text:
            return None
        policy = json.loads(text)
        return policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])


DEFAULTS = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
}


def queue_arn(scope: Scope, name: str) -> str:
    return str(Arn(partition_of(scope.region), "sqs", scope.region, scope.account, name))


class Queues:
    """All queues of all accounts and regions; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._waiting: dict[int, set[Callable[[], None]]] = {}
        self._lock = threading.Lock()
        with database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def create(self, scope: Scope, name: str, attributes: dict[str, str]) -> Queue:
        """The queue of that name, made if there was none; compare its attributes with the wanted ones."""
        now = time.time()
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO queues (account, region, name, attributes, created, modified)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (scope.account, scope.region, name, json.dumps(attributes), now, now),
            )
            queue = self.find(scope, name)
        assert queue is not None
        return queue

    def find(self, scope: Scope, name: str) -> Queue | None:
        row = self.database.read_one(
            "SELECT * FROM queues WHERE account = ? AND region = ? AND name = ?", (scope.account, scope.region, name)
        )
        return _queue(row) if row else None

    def by_arn(self, text: str) -> Queue | None:
        parts = text.split(":")
        if len(parts) != 6 or parts[2] != "sqs":
            return None
        return self.find(Scope(parts[4], parts[3]), parts[5])

    def named(self, scope: Scope, prefix: str, after: str, limit: int) -> list[Queue]:
        """Queues whose name starts with ``prefix``, by name, those behind ``after``."""
        rows = self.database.read(
            "SELECT * FROM queues WHERE account = ? AND region = ? AND substr(name, 1, ?) = ? AND name > ?"
            " ORDER BY name LIMIT ?",
            (scope.account, scope.region, len(prefix), prefix, after, limit),
        )
        return [_queue(row) for row in rows]

    def in_scope(self, scope: Scope) -> list[Queue]:
        return self.named(scope, "", "", -1)

    def set_attributes(self, queue: Queue, attributes: dict[str, str]) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE queues SET attributes = ?, modified = ? WHERE id = ?",
                (json.dumps(attributes), time.time(), queue.id),
            )

    def delete(self, queue: Queue) -> None:
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM tags WHERE arn = ?", (queue.arn,))
            connection.execute("DELETE FROM queue_messages WHERE queue = ?", (queue.id,))
            connection.execute("DELETE FROM queue_deduplications WHERE queue = ?", (queue.id,))
            connection.execute("DELETE FROM queues WHERE id = ?", (queue.id,))
        self.notify(queue.id)

    # Waiting for messages

    def wait(self, queue: Queue, wake: Callable[[], None]) -> None:
        """Call ``wake`` from any thread whenever something may be there to be received."""
        with self._lock:
            self._waiting.setdefault(queue.id, set()).add(wake)

    def unwait(self, queue: Queue, wake: Callable[[], None]) -> None:
        with self._lock:
            waiting = self._waiting.get(queue.id, set())
            waiting.discard(wake)
            if not waiting:
                self._waiting.pop(queue.id, None)

    def notify(self, queue_id: int) -> None:
        with self._lock:
            waiting = list(self._waiting.get(queue_id, ()))
        for wake in waiting:
            wake()


def _queue(row: sqlite3.Row) -> Queue:
    attributes: dict[str, Any] = json.loads(row["attributes"])
    scope = Scope(row["account"], row["region"])
    return Queue(row["id"], scope, row["name"], attributes, row["created"], row["modified"])
