"""The listing against a naive model of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.store.listing import ListPage, ListQuery, successor
from emulator.store.objects import ObjectStore
from emulator.store.resources import Scope
from emulator.store.stored_objects import StoredObject

ALPHABET = "ab/\x00\ud7ff\ue000\U0010ffff"
KEYS = st.text(alphabet=ALPHABET, min_size=1, max_size=6)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    store = ObjectStore(tmp_path_factory.mktemp("listing") / "objects")
    store.create_bucket(Scope("123456789012", "us-east-1"), "bucket")
    yield store
    store.close()


def fill(store: ObjectStore, keys: set[str]) -> None:
    with store.database.transaction() as connection:
        connection.execute("DELETE FROM objects")
        for key in keys:
            connection.execute(
                "INSERT INTO objects (bucket, key, version, latest, modified) VALUES ('bucket', ?, 'null', 1, 0)",
                (key,),
            )


def naive(keys: set[str], prefix: str, delimiter: str) -> list[str]:
    """Keys and common prefixes in the order of their UTF-8 bytes."""
    found = set()
    for key in keys:
        if key.startswith(prefix):
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            found.add(key if end < 0 else key[: end + len(delimiter)])
    return sorted(found, key=str.encode)


def names(page: ListPage) -> list[str]:
    return [item.key if isinstance(item, StoredObject) else item for item in page.items]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    keys=st.sets(KEYS, max_size=20),
    prefix=st.text(alphabet=ALPHABET, max_size=3),
    delimiter=st.sampled_from(["", "/", "a", "/a", "\U0010ffff"]),
    size=st.integers(min_value=1, max_value=5),
)
def test_pages_add_up_to_the_whole(store: ObjectStore, keys: set[str], prefix: str, delimiter: str, size: int) -> None:
    fill(store, keys)
    expected = naive(keys, prefix, delimiter)
    assert names(store.list_page(ListQuery("bucket", prefix, delimiter, limit=None))) == expected
    found: list[str] = []
    after = ""
    while True:
        page = store.list_page(ListQuery("bucket", prefix, delimiter, after, size))
        found += names(page)
        if not page.truncated:
            break
        assert len(page.items) == size
        after = found[-1]
    assert found == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.sets(KEYS, max_size=20), prefix=st.text(alphabet=ALPHABET, max_size=3), after=KEYS)
def test_start_after(store: ObjectStore, keys: set[str], prefix: str, after: str) -> None:
    fill(store, keys)
    expected = [key for key in naive(keys, prefix, "") if key.encode() > after.encode()]
    assert [stored.key for stored in store.list_objects("bucket", prefix, after)] == expected


@given(prefix=KEYS, tail=st.text(alphabet=ALPHABET, max_size=5))
def test_the_successor_is_above_everything_with_the_prefix(prefix: str, tail: str) -> None:
    end = successor(prefix)
    assert end is None or (prefix + tail).encode() < end.encode()
    assert end is None or not end.startswith(prefix)


def test_a_common_prefix_is_jumped_over(store: ObjectStore) -> None:
    fill(store, {f"a/{number}" for number in range(5000)} | {"b"})
    statements: list[str] = []
    store.database.connection.set_trace_callback(statements.append)
    assert names(store.list_page(ListQuery("bucket", delimiter="/"))) == ["a/", "b"]
    store.database.connection.set_trace_callback(None)
    assert len(statements) == 2
