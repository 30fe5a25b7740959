from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.store import ExecutionStore, StepRecord
from emulator.store.database import Database


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExecutionStore]:
    database = Database(tmp_path / "state.db", "")
    yield ExecutionStore(database)
    database.close()


def record(name: str = "A", **members: Any) -> StepRecord:
    values: dict[str, Any] = {"status": "Starting", "attempt": 1, "started": 1.5, "handle": {"Name": "job-1"}}
    return StepRecord("arn:e", name, "Processing", **(values | members))


def test_versions_count_from_one_and_skip_what_is_the_same(store: ExecutionStore) -> None:
    assert [store.versions.add("arn:p", text) for text in ("a", "a", "b", "a")] == [1, 1, 2, 3]
    assert store.versions.add("arn:q", "z") == 1
    found = store.versions.get("arn:p", 2)
    assert found is not None
    assert found.definition == "b"
    assert store.versions.get("arn:p", 4) is None
    store.forget_pipeline("arn:p")
    assert store.versions.get("arn:p", 1) is None
    assert store.versions.get("arn:q", 1) is not None


def test_a_step_is_kept_as_it_was_written(store: ExecutionStore) -> None:
    store.begin(record(arguments={"a": "é"}, display={"StepDisplayName": "The A"}))
    (step,) = store.steps("arn:e")
    assert dataclasses.replace(step, id=0) == record(display={"StepDisplayName": "The A"})
    assert store.arguments("arn:e", "A") == {"a": "é"}
    assert store.steps("arn:other") == []


def test_a_change_ends_a_step_and_keeps_what_it_does_not_give(store: ExecutionStore) -> None:
    store.begin(record())
    store.change("arn:e", "A", "Starting", "Executing", arn="arn:job", metadata={"M": {"Arn": "arn:job"}})
    store.change("arn:e", "A", "Executing", "Succeeded", properties={"p": [1, None], "t": 1.5})
    (step,) = store.steps("arn:e")
    assert (step.status, step.arn, step.metadata) == ("Succeeded", "arn:job", {"M": {"Arn": "arn:job"}})
    assert step.ended is not None
    assert store.properties("arn:e", "A") == {"p": [1, None], "t": 1.5}
    assert store.properties("arn:e", "B") == {}


def test_a_change_must_follow_the_rules_and_the_facts(store: ExecutionStore) -> None:
    store.begin(record())
    with pytest.raises(AssertionError, match="no rule leads from Succeeded to Executing"):
        store.change("arn:e", "A", "Succeeded", "Executing")
    with pytest.raises(AssertionError, match="step A of arn:e is not Executing"):
        store.change("arn:e", "A", "Executing", "Succeeded")
    assert store.steps("arn:e")[0].status == "Starting"


def test_pages_go_both_ways(store: ExecutionStore) -> None:
    for name in "ABC":
        store.begin(record(name))
    first, last = store.page("arn:e", descending=True, limit=2, after=None)
    second, end = store.page("arn:e", descending=True, limit=2, after=last)
    assert ([step.name for step in first], [step.name for step in second], end) == (["C", "B"], ["A"], None)
    up, _ = store.page("arn:e", descending=False, limit=2, after=first[1].id)
    assert [step.name for step in up] == ["C"]


def test_forgetting_an_execution_spares_the_others(store: ExecutionStore) -> None:
    store.begin(record())
    store.begin(dataclasses.replace(record(), execution="arn:f"))
    store.forget_execution("arn:e")
    assert (len(store.steps("arn:e")), len(store.steps("arn:f"))) == (0, 1)


def test_the_tables_are_made_once(store: ExecutionStore) -> None:
    store.begin(record())
    again = ExecutionStore(store.database)
    assert len(again.steps("arn:e")) == 1
