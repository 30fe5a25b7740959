"""Walking the keys of a bucket in order, rolling keys up to common prefixes at a delimiter.

Keys are compared as UTF-8 bytes, as S3 does; for well-formed text that is the order of code points, which is also how
Python and SQLite compare them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator.store.database import Database
from emulator.store.stored_objects import COLUMNS, StoredObject, from_row

_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list: keys that start with ``prefix`` and come after ``after``.

    A common prefix counts as one key. One that equals ``after`` has been listed already and does not come again.
    ``versions`` lists every version and delete marker, newest first within a key; ``after_id`` then says after which
    version of the key ``after`` to go on.
    """

    bucket: str
    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    limit: int | None = 1000
    versions: bool = False
    after_id: int | None = None


@dataclass(slots=True)
class ListPage:
    """``items`` are objects and common prefixes in key order; ``truncated`` if there is more after the last."""

    items: list[StoredObject | str] = field(default_factory=list)
    truncated: bool = False

    @property
    def objects(self) -> list[StoredObject]:
        return [item for item in self.items if isinstance(item, StoredObject)]

    @property
    def prefixes(self) -> list[str]:
        return [item for item in self.items if isinstance(item, str)]


def list_page(database: Database, query: ListQuery) -> ListPage:
    """One page of a listing."""
    page = ListPage()
    if query.limit == 0:
        return page
    for item in _items(database, query):
        if len(page.items) == query.limit:
            page.truncated = True
            break
        page.items.append(item)
    return page


def list_latest(database: Database, query: ListQuery) -> list[StoredObject]:
    """The latest versions of keys, without a delimiter, in key order."""
    return [from_row(row) for row in _rows(database, query, *_start(query)).fetchall()[: query.limit]]


def successor(prefix: str) -> str | None:
    """The first text after every text that starts with ``prefix``; None if there is no end."""
    stem = prefix.rstrip(_LAST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)


def _items(database: Database, query: ListQuery) -> Iterator[StoredObject | str]:
    start = _start(query)
    while True:
        common = None
        rows = _rows(database, query, *start)
        try:
            for row in rows:
                common = _common_prefix(row["key"], query)
                if common is not None:
                    break
                yield from_row(row)
        finally:
            rows.close()
        if common is None:
            return
        yield common
        beyond = successor(common)
        if beyond is None:
            return
        start = (">=", beyond)


def _start(query: ListQuery) -> tuple[str, str]:
    """Where to begin: an operator and a key."""
    if query.after_id is not None:
        return ">=", max(query.after, query.prefix)
    if query.after < query.prefix:
        return ">=", query.prefix
    if query.delimiter and _common_prefix(query.after, query) == query.after:
        return ">=", successor(query.after) or query.after
    return ">", query.after


def _common_prefix(key: str, query: ListQuery) -> str | None:
    if not query.delimiter or not key.startswith(query.prefix):
        return None
    end = key.find(query.delimiter, len(query.prefix))
    return key[: end + len(query.delimiter)] if end >= 0 else None


def _rows(database: Database, query: ListQuery, operator: str, key: str) -> sqlite3.Cursor:
    """Rows from a key on, read as they are used, so that a jump costs nothing but the next query."""
    where = f"bucket = ? AND key {operator} ?"
    values: list[str | int] = [query.bucket, key]
    end = successor(query.prefix)
    if end is not None:
        where += " AND key < ?"
        values.append(end)
    if query.after_id is not None:
        where += " AND (key > ? OR id < ?)"
        values += [query.after, query.after_id]
    where += "" if query.versions else " AND latest AND NOT marker"
    order = "key, id DESC" if query.versions else "key"
    limit = -1 if query.limit is None or query.delimiter else query.limit + 1
    return database.connection.execute(
        f"SELECT {COLUMNS} FROM objects WHERE {where} ORDER BY {order} LIMIT {limit}", values
    )
