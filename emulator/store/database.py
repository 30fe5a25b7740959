"""One SQLite database in WAL mode: one writer at a time, readers never blocked.

Durability: a transaction that returned has reached the operating system, so it survives the death of the process at
any moment (``synchronous=NORMAL``); a power loss may take back the last moments, but never tears the file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA foreign_keys = ON;
PRAGMA temp_store = MEMORY;
PRAGMA busy_timeout = 10000;
"""


class Database:
    """Connections to one database file; safe to share between threads.

    Every thread reads through a connection of its own, which is closed when the thread ends. Writers take turns behind
    one lock, so a writer never meets SQLITE_BUSY and a transaction sees its own writes only.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self._local = threading.local()
        self._write = threading.RLock()
        self._connections: set[sqlite3.Connection] = set()
        self._afterwards: list[Callable[[], None]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._write:
            self.connection.executescript(schema)

    @property
    def connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.executescript(_PRAGMAS)
            self._local.connection = connection
            self._local.end = _End(self._connections, connection)
        return connection

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters).fetchall()

    def read_one(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self.connection.execute(sql, parameters).fetchone()
        return row

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write atomically: commits when the block ends, rolls back when it raises. Nests into one transaction."""
        with self._write:
            connection = self.connection
            nested = connection.in_transaction
            if nested:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._afterwards.clear()
                if connection.in_transaction:  # some errors, as that of a full disk, have rolled it back already
                    connection.execute("ROLLBACK")
                raise
            afterwards, self._afterwards = self._afterwards, []
        for act in afterwards:
            act()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call ``act`` once the outermost transaction, which must be under way, is committed; not if it is not."""
        self._afterwards.append(act)

    def close(self) -> None:
        for connection in list(self._connections):
            connection.close()
        self._connections.clear()
        self._local = threading.local()


class _End:
    """Lives as long as the variables of one thread, and closes the thread's connection with them."""

    def __init__(self, connections: set[sqlite3.Connection], connection: sqlite3.Connection) -> None:
        connections.add(connection)
        self._connections = connections
        self._connection = connection

    def __del__(self) -> None:
        self._connections.discard(self._connection)
        self._connection.close()
