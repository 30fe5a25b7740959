"""Messages of SQS queues: who may see which, and when.

A message is invisible until ``visible_at``: delayed when it was sent, or in flight because somebody received it. Each
receipt gives a handle; only the last one counts. Of a FIFO queue the messages of a group come in order, and none while
an earlier one of the group is in flight.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from emulator.store.queues import Queue, Queues

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS queue_messages (id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL,"
    " message_id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL, system TEXT NOT NULL,"
    " sent REAL NOT NULL, visible_at REAL NOT NULL, received INTEGER NOT NULL DEFAULT 0, first_received REAL,"
    " receipt TEXT NOT NULL DEFAULT '', message_group TEXT NOT NULL DEFAULT '')",
    "CREATE INDEX IF NOT EXISTS queue_messages_visible ON queue_messages (queue, visible_at)",
    "CREATE INDEX IF NOT EXISTS queue_messages_in_group ON queue_messages (queue, message_group, id)",
    "CREATE TABLE IF NOT EXISTS queue_deduplications (queue INTEGER NOT NULL, key TEXT NOT NULL, until REAL NOT NULL,"
    " message_id TEXT NOT NULL, sequence TEXT NOT NULL, PRIMARY KEY (queue, key)) WITHOUT ROWID",
)
DEDUPLICATION_SECONDS = 300
"""Within which a message of the same deduplication id is accepted, but not delivered again (SQS Developer Guide)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to send. ``system`` holds system attributes, ``attributes`` the sender's own."""

    body: str
    attributes: dict[str, Any] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)
    delay: int | None = None
    group: str = ""
    deduplication: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received; ``receipt`` is the handle of this receipt."""

    message_id: str
    body: str
    attributes: dict[str, Any]
    system: dict[str, str]
    sent: float
    received: int
    first_received: float
    receipt: str
    group: str


@dataclass(frozen=True, slots=True)
class Counts:
    visible: int
    in_flight: int
    delayed: int


class BadReceipt(ValueError):
    """It is no receipt handle of this queue."""


class NotInFlight(ValueError):
    """The message is not in flight: it is visible again, or was received by somebody else since."""


class Messages:
    """The messages of all queues; safe to share between threads."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._database = queues.database
        with self._database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def send(self, queue: Queue, draft: Draft) -> tuple[str, str]:
        """Store a message; its id, and its sequence number where the queue is FIFO (else empty)."""
        now = time.time()
        with self._database.transaction() as connection:
            if queue.fifo and (earlier := self._duplicate(connection, queue, draft, now)) is not None:
                return earlier
            message_id = str(uuid.uuid4())
            delay = queue.seconds("DelaySeconds") if draft.delay is None else draft.delay
            cursor = connection.execute(
                "INSERT INTO queue_messages (queue, message_id, body, attributes, system, sent, visible_at,"
                " message_group) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (queue.id, message_id, draft.body, json.dumps(draft.attributes), "{}", now, now + delay, draft.group),
            )
            sequence = f"{10**19 + (cursor.lastrowid or 0):020d}" if queue.fifo else ""
            system = draft.system | ({"SequenceNumber": sequence} if sequence else {})
            connection.execute(
                "UPDATE queue_messages SET system = ? WHERE id = ?", (json.dumps(system), cursor.lastrowid)
            )
            if queue.fifo:
                connection.execute(
                    "INSERT OR REPLACE INTO queue_deduplications VALUES (?, ?, ?, ?, ?)",
                    (queue.id, _key(queue, draft), now + DEDUPLICATION_SECONDS, message_id, sequence),
                )
        self._queues.notify(queue.id)
        return message_id, sequence

    def _duplicate(
        self, connection: sqlite3.Connection, queue: Queue, draft: Draft, now: float
    ) -> tuple[str, str] | None:
        connection.execute("DELETE FROM queue_deduplications WHERE queue = ? AND until <= ?", (queue.id, now))
        row = connection.execute(
            "SELECT message_id, sequence FROM queue_deduplications WHERE queue = ? AND key = ?",
            (queue.id, _key(queue, draft)),
        ).fetchone()
        return (row["message_id"], row["sequence"]) if row else None

    def receive(self, queue: Queue, limit: int, visibility: int) -> list[Message]:
        """Take up to ``limit`` visible messages; each is invisible to others for ``visibility`` seconds."""
        now = time.time()
        if self._nothing_due(queue, now):
            return []
        with self._database.transaction() as connection:
            self._expire(connection, queue, now)
            moved = self._redrive(connection, queue, now)
            rows = connection.execute(_FIFO if queue.fifo else _STANDARD, _selection(queue, now, limit)).fetchall()
            messages = [_taken(connection, row, now, visibility) for row in rows]
        if moved is not None:
            self._queues.notify(moved)
        return messages

    def _nothing_due(self, queue: Queue, now: float) -> bool:
        due = "SELECT 1 FROM queue_messages WHERE queue = ? AND visible_at <= ? LIMIT 1"
        return self._database.read_one(due, (queue.id, now)) is None

    def next_due(self, queue: Queue) -> float | None:
        """When the next message becomes visible, in Unix seconds; None if there is none at all."""
        row = self._database.read_one(
            "SELECT min(visible_at) AS due FROM queue_messages WHERE queue = ? AND visible_at > ?",
            (queue.id, time.time()),
        )
        return row["due"] if row else None

    def _expire(self, connection: sqlite3.Connection, queue: Queue, now: float) -> None:
        oldest = now - queue.seconds("MessageRetentionPeriod")
        connection.execute("DELETE FROM queue_messages WHERE queue = ? AND sent <= ?", (queue.id, oldest))

    def _redrive(self, connection: sqlite3.Connection, queue: Queue, now: float) -> int | None:
        """Move what was received too often to the dead-letter queue; that queue's id if anything was moved."""
        target = self._queues.by_arn(queue.redrive[0]) if queue.redrive else None
        if queue.redrive is None or target is None:
            return None
        moved = connection.execute(
            "UPDATE queue_messages SET queue = ?, visible_at = ?, receipt = '',"
            " system = json_set(system, '$.DeadLetterQueueSourceArn', ?)"
            " WHERE queue = ? AND visible_at <= ? AND received >= ?",
            (target.id, now, queue.arn, queue.id, now, queue.redrive[1]),
        ).rowcount
        return target.id if moved else None

    def delete(self, queue: Queue, receipt: str) -> None:
        """Remove a message by the handle of its last receipt; an outdated handle removes nothing.

        Raises:
            BadReceipt: it is no handle of this queue.
            NotInFlight: the queue is FIFO and the handle has expired.
        """
        row_id = _row_of(queue, receipt)
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT receipt, visible_at FROM queue_messages WHERE id = ? AND queue = ?", (row_id, queue.id)
            ).fetchone()
            if row is None or row["receipt"] != receipt:
                return
            if queue.fifo and row["visible_at"] <= time.time():
                raise NotInFlight
            connection.execute("DELETE FROM queue_messages WHERE id = ?", (row_id,))
        self._queues.notify(queue.id)

    def change_visibility(self, queue: Queue, receipt: str, seconds: int) -> None:
        """
        Raises:
            BadReceipt: it is no handle of this queue.
            NotInFlight: the message is not in flight under this handle.
        """
        now = time.time()
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE queue_messages SET visible_at = ?"
                " WHERE id = ? AND queue = ? AND receipt = ? AND visible_at > ?",
                (now + seconds, _row_of(queue, receipt), queue.id, receipt, now),
            ).rowcount
        if not changed:
            raise NotInFlight
        self._queues.notify(queue.id)

    def purge(self, queue: Queue) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM queue_messages WHERE queue = ?", (queue.id,))

    def counts(self, queue: Queue) -> Counts:
        now = time.time()
        row = self._database.read_one(
            "SELECT total(visible_at <= ?) AS visible, total(visible_at > ? AND receipt != '') AS in_flight,"
            " total(visible_at > ? AND receipt = '') AS delayed FROM queue_messages WHERE queue = ? AND sent > ?",
            (now, now, now, queue.id, now - queue.seconds("MessageRetentionPeriod")),
        )
        assert row is not None
        return Counts(int(row["visible"]), int(row["in_flight"]), int(row["delayed"]))


_STANDARD = "SELECT * FROM queue_messages WHERE queue = ? AND visible_at <= ? ORDER BY id LIMIT ?"
_FIFO = (
    "SELECT * FROM queue_messages WHERE queue = ? AND visible_at <= ? AND message_group NOT IN (SELECT message_group"
    " FROM queue_messages WHERE queue = ? AND visible_at > ? AND receipt != '') ORDER BY id LIMIT ?"
)


def _selection(queue: Queue, now: float, limit: int) -> tuple[Any, ...]:
    return (queue.id, now, queue.id, now, limit) if queue.fifo else (queue.id, now, limit)


def _taken(connection: sqlite3.Connection, row: sqlite3.Row, now: float, visibility: int) -> Message:
    receipt = base64.b64encode(f"{row['queue']}:{row['id']}:{secrets.token_hex(12)}".encode()).decode()
    first = row["first_received"] or now
    connection.execute(
        "UPDATE queue_messages SET visible_at = ?, received = received + 1, first_received = ?, receipt = ?"
        " WHERE id = ?",
        (now + visibility, first, receipt, row["id"]),
    )
    return Message(
        message_id=row["message_id"],
        body=row["body"],
        attributes=json.loads(row["attributes"]),
        system=json.loads(row["system"]),
        sent=row["sent"],
        received=row["received"] + 1,
        first_received=first,
        receipt=receipt,
        group=row["message_group"],
    )


def _row_of(queue: Queue, receipt: str) -> int:
    try:
        queue_id, row_id, _ = base64.b64decode(receipt, validate=True).decode().split(":")
        number = int(row_id)
    except (ValueError, binascii.Error) as error:
        raise BadReceipt from error
    if queue_id != str(queue.id) or not 0 <= number < 2**62:
        raise BadReceipt
    return number


def _key(queue: Queue, draft: Draft) -> str:
    scoped = queue.attributes.get("DeduplicationScope") == "messageGroup"
    return json.dumps([draft.group if scoped else "", draft.deduplication])
