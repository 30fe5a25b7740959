"""The thread of all tuning jobs, with turns of the test's own."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from emulator.aws.arns import sagemaker_arn
from emulator.jobs.tuning import tuner
from emulator.jobs.tuning.turn import KIND
from emulator.store.database import Database
from emulator.store.resources import SCHEMA, Resource, Resources, Scope

SCOPE = Scope("123456789012", "eu-west-1")


def test_a_tuning_job_waits_for_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    went_on = threading.Event()

    def take(turn: tuner.Turn) -> None:
        turns.append(turn.tuning.status)
        if len(turns) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        went_on.set()

    monkeypatch.setattr(tuner.Turn, "take", take)
    monkeypatch.setattr(tuner, "POLL_SECONDS", 0.01)
    database = Database(tmp_path / "state.db", SCHEMA)
    resources = Resources(database)
    arn = sagemaker_arn(SCOPE.account, SCOPE.region, KIND, "tuning")
    resources.insert(Resource(SCOPE, KIND, "tuning", arn, {}, "InProgress"))
    supervisor = tuner.Tuner(resources, cast("Any", None), lambda scope, service, operation, request: {})
    supervisor.start()
    assert went_on.wait(30)
    supervisor.close()
    database.close()
    assert set(turns) == {"InProgress"}
