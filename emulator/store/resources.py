"""AWS resources as rows: a kind, a name, an ARN, a status and a JSON body.

Every resource family (pipelines, training jobs, model packages, …) is stored alike, so that describing, listing,
filtering, sorting, paging and tagging are written once. ``body`` is the document a service module chooses to keep,
usually the members of the Describe response.

Names differ by more than case: SageMaker has lower-cased them in ARNs, and clients describe a job by the name they
cut from its ARN.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.aws.errors import ValidationException
from emulator.store.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL COLLATE NOCASE,
    parent   TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
    arn      TEXT NOT NULL UNIQUE COLLATE NOCASE,
    status   TEXT NOT NULL DEFAULT '',
    created  REAL NOT NULL,
    modified REAL NOT NULL,
    body     TEXT NOT NULL,
    UNIQUE (account, region, kind, name)
);
CREATE INDEX IF NOT EXISTS resources_by_creation ON resources (account, region, kind, parent, created, id);
CREATE INDEX IF NOT EXISTS resources_by_status ON resources (kind, status);
CREATE TABLE IF NOT EXISTS tags (
    arn   TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
);
CREATE TABLE IF NOT EXISTS idempotency_tokens (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    action  TEXT NOT NULL,
    token   TEXT NOT NULL,
    request TEXT NOT NULL,
    arn     TEXT NOT NULL,
    PRIMARY KEY (account, region, action, token)
);
"""

_SORTS = {
    "Name": "name",
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "ModifiedTime": "modified",
    "Status": "status",
}
_TIMES = ("created", "modified")


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom: every resource belongs to one account and region."""

    account: str
    region: str


@dataclass(slots=True)
class Resource:
    """One row. ``created`` and ``modified`` are Unix seconds."""

    scope: Scope
    kind: str
    name: str
    arn: str
    body: dict[str, Any]
    status: str = ""
    parent: str = ""
    created: float = field(default_factory=time.time)
    modified: float = 0.0
    id: int = 0

    def __post_init__(self) -> None:
        self.modified = self.modified or self.created


@dataclass(frozen=True, slots=True)
class Query:
    """What a List operation asks for; the members carry AWS's meaning of the request members they come from."""

    kind: str
    parent: str | None = None
    has_parent: bool | None = None
    name_contains: str | None = None
    name_prefix: str | None = None
    status: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    members: Mapping[str, str | int] = field(default_factory=dict)
    """Members of the body and the value that each must have."""
    sort_by: str = "CreationTime"
    descending: bool = True
    max_results: int = 100
    next_token: str | None = None


StatusListener = Callable[[Resource], None]


class Resources:
    """The table of resources, their tags and the idempotency tokens that made them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._listeners: list[StatusListener] = []

    def subscribe(self, listener: StatusListener) -> None:
        """Call ``listener(resource)`` after each committed change of a status; it must return at once."""
        self._listeners.append(listener)

    def get(self, scope: Scope, kind: str, name: str) -> Resource | None:
        row = self.database.read_one(
            "SELECT * FROM resources WHERE account = ? AND region = ? AND kind = ? AND name = ?",
            (scope.account, scope.region, kind, name),
        )
        return _resource(row) if row else None

    def by_arn(self, arn: str) -> Resource | None:
        row = self.database.read_one("SELECT * FROM resources WHERE arn = ?", (arn,))
        return _resource(row) if row else None

    def with_status(self, kind: str, *statuses: str) -> list[Resource]:
        """Every resource of a kind in one of the statuses, in all accounts and regions, oldest first."""
        marks = ",".join("?" * len(statuses))
        rows = self.database.read(
            f"SELECT * FROM resources WHERE kind = ? AND status IN ({marks}) ORDER BY id", (kind, *statuses)
        )
        return [_resource(row) for row in rows]

    def insert(self, resource: Resource) -> bool:
        """Store a new resource; False, and nothing stored, if its name or ARN is taken."""
        with self.database.transaction() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO resources"
                " (account, region, kind, name, parent, arn, status, created, modified, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    resource.scope.account,
                    resource.scope.region,
                    resource.kind,
                    resource.name,
                    resource.parent,
                    resource.arn,
                    resource.status,
                    resource.created,
                    resource.modified,
                    json.dumps(resource.body),
                ),
            )
            if cursor.rowcount == 0:
                return False
            resource.id = cursor.lastrowid or 0
        self._announce(resource)
        return True

    def update(self, arn: str, change: Callable[[Resource], None]) -> Resource | None:
        """Read, change and write one resource atomically; None if there is none. Sets ``modified`` to now."""
        with self.database.transaction() as connection:
            row = connection.execute("SELECT * FROM resources WHERE arn = ?", (arn,)).fetchone()
            if row is None:
                return None
            resource = _resource(row)
            change(resource)
            resource.modified = max(time.time(), resource.modified)
            connection.execute(
                "UPDATE resources SET status = ?, modified = ?, body = ? WHERE id = ?",
                (resource.status, resource.modified, json.dumps(resource.body), resource.id),
            )
        if resource.status != row["status"]:
            self._announce(resource)
        return resource

    def delete(self, arn: str) -> bool:
        """Remove a resource with its tags; False if there was none."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM tags WHERE arn = ?", (arn,))
            connection.execute("DELETE FROM idempotency_tokens WHERE arn = ?", (arn,))
            return connection.execute("DELETE FROM resources WHERE arn = ?", (arn,)).rowcount > 0

    def page(self, scope: Scope, query: Query) -> tuple[list[Resource], str | None]:
        """One page of resources and the token of the next, None on the last page."""
        if query.sort_by not in _SORTS:
            raise ValidationException(f"SortBy {query.sort_by} is not supported")
        column = _SORTS[query.sort_by]
        where, values = _conditions(scope, query)
        if query.next_token:
            last_value, last_id = _decode_token(query.next_token)
            if isinstance(last_value, float) != (column in _TIMES):
                raise ValidationException("Invalid pagination token")  # of a list in another order
            where.append(f"({column}, id) {'<' if query.descending else '>'} (?, ?)")
            values += [last_value, last_id]
        order = "DESC" if query.descending else "ASC"
        rows = self.database.read(
            f"SELECT * FROM resources WHERE {' AND '.join(where)} ORDER BY {column} {order}, id {order} LIMIT ?",
            (*values, query.max_results + 1),
        )
        page = [_resource(row) for row in rows[: query.max_results]]
        more = len(rows) > query.max_results
        last = rows[query.max_results - 1] if more else None
        return page, _encode_token(last[column], last["id"]) if last is not None else None

    def walk(self, scope: Scope, query: Query) -> Iterator[Resource]:
        """Every resource that a query means, page by page."""
        token: str | None = None
        while True:
            page, token = self.page(scope, replace(query, next_token=token))
            yield from page
            if token is None:
                return

    def count(self, scope: Scope, kind: str, *, parent: str | None = None, status: str | None = None) -> int:
        row = self.database.read_one(
            "SELECT count(*) AS n FROM resources WHERE account = ? AND region = ? AND kind = ?"
            " AND (? IS NULL OR parent = ?) AND (? IS NULL OR status = ?)",
            (scope.account, scope.region, kind, parent, parent, status, status),
        )
        return int(row["n"]) if row else 0

    def tags(self, arn: str) -> list[dict[str, str]]:
        """Tags as AWS lists them: ``[{"Key": …, "Value": …}]``, ordered by key."""
        rows = self.database.read("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,))
        return [{"Key": row["key"], "Value": row["value"]} for row in rows]

    def add_tags(self, arn: str, tags: list[Mapping[str, str]]) -> None:
        with self.database.transaction() as connection:
            connection.executemany(
                "INSERT INTO tags (arn, key, value) VALUES (?, ?, ?)"
                " ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value",
                [(arn, tag["Key"], tag["Value"]) for tag in tags],
            )

    def delete_tags(self, arn: str, keys: list[str]) -> None:
        with self.database.transaction() as connection:
            connection.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])

    def remember_token(self, scope: Scope, action: str, token: str, request: str, arn: str) -> None:
        """Note that ``token`` made ``arn`` by ``request``, canonical text; call it in the transaction that made it."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO idempotency_tokens VALUES (?, ?, ?, ?, ?, ?)",
                (scope.account, scope.region, action, token, request, arn),
            )

    def recall_token(self, scope: Scope, action: str, token: str) -> tuple[str, str] | None:
        """``(request, arn)`` that an earlier call with this token left, or None."""
        row = self.database.read_one(
            "SELECT request, arn FROM idempotency_tokens WHERE account = ? AND region = ? AND action = ? AND token = ?",
            (scope.account, scope.region, action, token),
        )
        return (row["request"], row["arn"]) if row else None

    def _announce(self, resource: Resource) -> None:
        for listener in self._listeners:
            listener(resource)


def _conditions(scope: Scope, query: Query) -> tuple[list[str], list[Any]]:
    """What a row must fulfil that a query means, in SQL, and the values in it."""
    where = ["account = ?", "region = ?", "kind = ?"]
    values: list[Any] = [scope.account, scope.region, query.kind]
    for condition, value in (
        ("parent = ?", query.parent),
        ("(parent != '') = ?", query.has_parent),
        ("instr(lower(name), lower(?)) > 0", query.name_contains),
        ("instr(name, ?) = 1", query.name_prefix),
        ("status = ?", query.status),
        ("created > ?", query.created_after),
        ("created < ?", query.created_before),
        ("modified > ?", query.modified_after),
        ("modified < ?", query.modified_before),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    for member, value in query.members.items():
        where.append("json_extract(body, ?) = ?")
        values += [f'$."{member}"', value]
    return where, values


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(
        scope=Scope(row["account"], row["region"]),
        kind=row["kind"],
        name=row["name"],
        arn=row["arn"],
        body=json.loads(row["body"]),
        status=row["status"],
        parent=row["parent"],
        created=row["created"],
        modified=row["modified"],
        id=row["id"],
    )


def _encode_token(value: Any, row_id: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, row_id]).encode()).decode()


def _decode_token(token: str) -> tuple[Any, int]:
    try:
        value, row_id = json.loads(base64.urlsafe_b64decode(token.encode()))
        if isinstance(value, bool) or not isinstance(value, str | float) or not 0 <= int(row_id) < 2**63:
            raise ValueError("no place in a list")
        return value, int(row_id)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValidationException("Invalid pagination token") from error
