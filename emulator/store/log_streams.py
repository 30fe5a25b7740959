"""CloudWatch log groups and streams: names in SQLite, contents in files (``emulator.store.log_files``).

Two kinds of stream look alike to a reader. What a job prints comes as raw bytes, and its lines are shown as AWS's log
agent shows them, control characters escaped (a tab becomes ``#011``). What a client sends by PutLogEvents is kept as
sent, newlines included.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from emulator.aws.arns import partition_of
from emulator.aws.errors import AwsError
from emulator.store.database import Database
from emulator.store.log_files import Line, LogReader, LogWriter, remove
from emulator.store.resources import Scope

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS log_groups (account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    " created REAL NOT NULL, PRIMARY KEY (account, region, name))",
    "CREATE TABLE IF NOT EXISTS log_streams (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,"
    " region TEXT NOT NULL, log_group TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,"
    " verbatim INTEGER NOT NULL, UNIQUE (account, region, log_group, name))",
)
_ESCAPES = {code: f"#{code:03o}" for code in (*range(32), 127)}
_NEWLINE = b"\xff"
"""Stands for a newline inside a message sent by PutLogEvents; no UTF-8 text contains this byte."""


class LogResourceNotFound(AwsError):
    code = "ResourceNotFoundException"


class LogResourceExists(AwsError):
    code = "ResourceAlreadyExistsException"


@dataclass(frozen=True, slots=True)
class LogGroup:
    name: str
    created: float
    arn: str


@dataclass(frozen=True, slots=True)
class LogStream:
    id: int
    group: str
    name: str
    created: float
    verbatim: bool
    arn: str


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line. ``position`` and ``end`` are where it starts and where the next one does."""

    timestamp: int
    message: str
    position: int
    end: int


class LogStreams:
    """All log groups of all accounts and regions; safe to share between threads."""

    def __init__(self, root: Path, database: Database, limit_bytes: int) -> None:
        self._root = root
        self._database = database
        self._limit = limit_bytes
        self._open: dict[int, int] = {}
        self._lock = threading.Lock()
        with database.transaction() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def writer(self, scope: Scope, group: str, stream: str) -> LogWriter:
        """A writer that appends to the stream, made with its group if it is not there yet."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO log_groups VALUES (?, ?, ?, ?)", (scope.account, scope.region, group, now)
            )
            connection.execute(_INSERT_STREAM, (scope.account, scope.region, group, stream, now, 0))
        return self._writer(self.stream(scope, group, stream))

    def _writer(self, stream: LogStream) -> LogWriter:
        def closed() -> None:
            with self._lock:
                self._open[stream.id] -= 1

        with self._lock:
            self._open[stream.id] = self._open.get(stream.id, 0) + 1
        return LogWriter(self._folder(stream.id), self._limit, closed)

    def put(self, scope: Scope, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append (Unix milliseconds, message) pairs to a stream that exists."""
        writer = self._writer(self.stream(scope, group, stream))
        try:
            for timestamp, message in events:
                writer.write(message.encode().replace(b"\n", _NEWLINE) + b"\n", timestamp)
        finally:
            writer.close()

    def create_group(self, scope: Scope, name: str) -> None:
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO log_groups VALUES (?, ?, ?, ?)", (scope.account, scope.region, name, time.time())
            )
        if cursor.rowcount == 0:
            raise LogResourceExists("The specified log group already exists")

    def create_stream(self, scope: Scope, group: str, name: str) -> None:
        self.group(scope, group)
        with self._database.transaction() as connection:
            cursor = connection.execute(_INSERT_STREAM, (scope.account, scope.region, group, name, time.time(), 1))
        if cursor.rowcount == 0:
            raise LogResourceExists("The specified log stream already exists")

    def delete_group(self, scope: Scope, name: str) -> None:
        self.group(scope, name)
        for stream in self.streams(scope, name):
            self._delete(stream)
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM log_groups WHERE account = ? AND region = ? AND name = ?",
                (scope.account, scope.region, name),
            )

    def delete_stream(self, scope: Scope, group: str, name: str) -> None:
        self._delete(self.stream(scope, group, name))

    def _delete(self, stream: LogStream) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM log_streams WHERE id = ?", (stream.id,))
        remove(self._folder(stream.id))

    def groups(self, scope: Scope, prefix: str = "") -> list[LogGroup]:
        """Groups whose name starts with ``prefix``, by name."""
        rows = self._database.read(
            "SELECT * FROM log_groups WHERE account = ? AND region = ? AND substr(name, 1, ?) = ? ORDER BY name",
            (scope.account, scope.region, len(prefix), prefix),
        )
        return [LogGroup(row["name"], row["created"], group_arn(scope, row["name"])) for row in rows]

    def group(self, scope: Scope, name: str) -> LogGroup:
        """
        Raises:
            LogResourceNotFound: there is no such group.
        """
        row = self._database.read_one(
            "SELECT * FROM log_groups WHERE account = ? AND region = ? AND name = ?",
            (scope.account, scope.region, name),
        )
        if row is None:
            raise LogResourceNotFound("The specified log group does not exist.")
        return LogGroup(name, row["created"], group_arn(scope, name))

    def streams(
        self, scope: Scope, group: str, prefix: str = "", after: str = "", limit: int | None = None
    ) -> list[LogStream]:
        """Streams of a group whose name starts with ``prefix``, by name, those behind ``after``."""
        self.group(scope, group)
        rows = self._database.read(
            "SELECT * FROM log_streams WHERE account = ? AND region = ? AND log_group = ? AND name >= ?"
            " AND substr(name, 1, ?) = ? AND name > ? ORDER BY name LIMIT ?",
            (scope.account, scope.region, group, prefix, len(prefix), prefix, after, -1 if limit is None else limit),
        )
        return [_stream(scope, row) for row in rows]

    def stream(self, scope: Scope, group: str, name: str) -> LogStream:
        """
        Raises:
            LogResourceNotFound: there is no such group or stream.
        """
        row = self._database.read_one(
            "SELECT * FROM log_streams WHERE account = ? AND region = ? AND log_group = ? AND name = ?",
            (scope.account, scope.region, group, name),
        )
        if row is None:
            self.group(scope, group)
            raise LogResourceNotFound("The specified log stream does not exist.")
        return _stream(scope, row)

    def reader(self, stream: LogStream, complete: bool = False) -> LogReader:
        """The raw lines of a stream as it is now. Without ``complete``, a last line being written is left out."""
        with self._lock:
            closed = complete or not self._open.get(stream.id)
        return LogReader(self._folder(stream.id), closed)

    def events(self, stream: LogStream, position: int = 0, *, complete: bool = False) -> Iterator[LogEvent]:
        """Events from ``position`` (0, or the ``end`` of an event) on."""
        return (_event(stream, line) for line in self.reader(stream, complete).forward(position))

    def events_backward(
        self, stream: LogStream, position: int | None = None, *, complete: bool = False
    ) -> Iterator[LogEvent]:
        """Events before ``position`` (the ``position`` of an event; the end, if left out), last first."""
        return (_event(stream, line) for line in self.reader(stream, complete).backward(position))

    def tail(self, scope: Scope, group: str, stream: str, lines: int) -> list[str]:
        """The last messages of a stream, oldest first."""
        last = islice(self.events_backward(self.stream(scope, group, stream)), lines)
        return [event.message for event in last][::-1]

    def _folder(self, stream_id: int) -> Path:
        return self._root / f"{stream_id // 1000}" / f"{stream_id}"


_INSERT_STREAM = (
    "INSERT OR IGNORE INTO log_streams (account, region, log_group, name, created, verbatim) VALUES (?, ?, ?, ?, ?, ?)"
)


def group_arn(scope: Scope, name: str) -> str:
    return f"arn:{partition_of(scope.region)}:logs:{scope.region}:{scope.account}:log-group:{name}"


def _stream(scope: Scope, row: Any) -> LogStream:
    arn = f"{group_arn(scope, row['log_group'])}:log-stream:{row['name']}"
    return LogStream(row["id"], row["log_group"], row["name"], row["created"], bool(row["verbatim"]), arn)


def _event(stream: LogStream, line: Line) -> LogEvent:
    if stream.verbatim:
        message = line.data.replace(_NEWLINE, b"\n").decode(errors="replace")
    else:
        message = line.data.decode(errors="replace").translate(_ESCAPES)
    return LogEvent(line.timestamp, message, line.start, line.end)
