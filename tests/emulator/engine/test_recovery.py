"""The emulator dies at every point where it writes or calls; a new one on the same database must end alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import AwsError
from emulator.store.database import Database
from emulator.store.resources import Resource
from tests.emulator.engine.fakes import (
    Crash,
    World,
    condition,
    equals,
    eventually,
    fail,
    processing,
    register,
    training,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

CACHED = processing("Cached", CacheConfig={"Enabled": True})
RETRIED = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 1}
STEPS = [
    processing("A"),
    processing("B"),
    CACHED,
    training("T", "A", "Cached", RetryPolicies=[RETRIED]),
    condition("Check", [equals({"Get": "Steps.A.ProcessingJobStatus"}, "Completed")], [register("R")], [fail("F", "")]),
    processing("Late", "R", "B", "T"),
]
EXPECTED = dict.fromkeys(("A", "B", "Cached", "T", "Check", "R", "Late"), "Succeeded")

MADE = {"processing-job": 4, "training-job": 1, "model-package": 1}
"""Of the processing jobs one is of the execution before, whose result is taken over."""


class Doom:
    """Kills the engine's thread at the n-th write: before it, or right after it is durable."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes = 0
        self.fatal: int | None = None
        self.after = False
        original = Database.transaction

        @contextmanager
        def transaction(database: Database) -> Iterator[Any]:
            nested = database.connection.in_transaction
            if not nested:
                self._count(before=True)
            with original(database) as connection:
                yield connection
            if not nested:
                self._count(before=False)

        monkeypatch.setattr(Database, "transaction", transaction)

    def _count(self, *, before: bool) -> None:
        self.writes += before
        if self.writes == self.fatal and before is not self.after:
            self.fatal = None
            raise Crash

    def arm(self, number: int, *, after: bool) -> None:
        self.writes, self.fatal, self.after = 0, number, after


def finish_jobs(world: World) -> None:
    """What the jobs' own recovery does: a job that had not ended runs again and ends, the first of T as it must."""
    for kind in ("processing-job", "training-job"):
        for job in world.resources.with_status(kind, "InProgress"):
            fails = bool(world.flaky) and kind == "training-job" and not world.resources.with_status(kind, "Failed")
            world.resources.update(job.arn, fail_first if fails else complete)


def complete(job: Resource) -> None:
    job.status = "Completed"


def fail_first(job: Resource) -> None:
    job.status = "Failed"
    job.body["FailureReason"] = "InternalServerError: again"


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    monkeypatch.setattr("emulator.engine.retries._delay", lambda policy, count: 0.01)
    doom = Doom(monkeypatch)
    number = 1
    while crash_and_recover(World(tmp_path / str(number)), doom, number, after):
        number += 1
    assert number > 25, "there are more writes than that"


def crash_and_recover(world: World, doom: Doom, number: int, after: bool) -> bool:
    """Crash at a write, recover, compare with an undisturbed run; False if there are fewer writes."""
    before = world.start([CACHED])
    world.wait(before)
    world.flaky.add("T")
    arn = world.store(STEPS)
    doom.arm(number, after=after)
    world.engine.start(arn)
    eventually(lambda: world.over(arn))
    crashed = doom.fatal is None
    doom.fatal = None
    world.restart()
    finish_jobs(world)
    assert world.wait(arn).status == "Succeeded", f"after a crash at write {number}"
    assert world.statuses(arn) == EXPECTED
    made = {kind: len(world.resources.with_status(kind, "Completed", "InProgress")) for kind in MADE}
    assert made == MADE, f"something was made twice after a crash at write {number}"
    assert len(world.resources.with_status("training-job", "Failed")) == 1, "the retried job failed once"
    assert world.steps(arn)["T"].attempt == 2
    hit = world.steps(arn)["Cached"].display["CacheHitResult"]
    assert hit == {"SourcePipelineExecutionArn": before}
    world.close()
    return crashed


@pytest.mark.parametrize("operation", ["CreateProcessingJob", "CreateModelPackage", "DescribeProcessingJob"])
@pytest.mark.parametrize("moment", ["crash_before", "crash_after"])
def test_a_crash_around_a_call_makes_nothing_twice(world: World, operation: str, moment: str) -> None:
    setattr(world.sagemaker, moment, operation)
    arn = world.start([processing("A"), register("R", DependsOn=["A"])])
    eventually(lambda: not world.engine._scheduler._thread.is_alive())
    world.restart()
    assert world.wait(arn).status == "Succeeded"
    assert len(world.resources.with_status("processing-job", "Completed")) == 1
    assert len(world.resources.with_status("model-package", "Completed")) == 1


def test_a_restart_follows_jobs_that_still_run(world: World) -> None:
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A"), processing("B", "A")])
    world.wait_for(arn, A="Executing")
    world.restart()
    assert world.execution(arn).status == "Executing"
    world.sagemaker.end("A")
    assert world.wait(arn).status == "Succeeded"
    assert [call["ProcessingJobName"].split("-")[2] for call in world.sagemaker.made("CreateProcessingJob")] == ["B"]


def test_a_restart_sees_what_ended_while_it_was_away(world: World) -> None:
    world.sagemaker.fates = {"A": "hold", "B": "hold"}
    arn = world.start([processing("A"), processing("B"), processing("C", "A")])
    world.wait_for(arn, A="Executing", B="Executing")
    world.engine.close()
    world.sagemaker.end("A")
    world.sagemaker.end("B", "Failed", FailureReason="AlgorithmError: no")
    world.restart()
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn)["B"] == "Failed"


def test_a_stop_survives_a_restart(world: World) -> None:
    world.sagemaker.fates = {"A": "hold", "B": "hold"}
    arn = world.start([processing("A"), processing("B"), processing("C", "A")])
    world.wait_for(arn, A="Executing", B="Executing")
    world.engine.close()
    world.engine.stop(arn)
    world.restart()
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Stopped", "B": "Stopped"}


def test_a_stop_that_was_noted_but_not_asked_for_is_asked_for(world: World) -> None:
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A")])
    world.wait_for(arn, A="Executing")
    world.sagemaker.crash_before = "StopProcessingJob"
    world.engine.stop(arn)
    eventually(lambda: not world.engine._scheduler._thread.is_alive())
    assert world.statuses(arn) == {"A": "Stopping"}
    world.restart()
    assert world.wait(arn).status == "Stopped"
    assert world.sagemaker.job("A").status == "Stopped"


def test_a_stop_that_is_refused_for_the_moment_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.engine.runner._PATIENCE_SECONDS", 0.01)
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A")])
    world.wait_for(arn, A="Executing")
    world.sagemaker.refuse["StopProcessingJob"] = AwsError("Rate exceeded", code="ThrottlingException")
    world.engine.stop(arn)
    eventually(lambda: len(world.sagemaker.made("StopProcessingJob")) > 2)
    del world.sagemaker.refuse["StopProcessingJob"]
    assert world.wait(arn).status == "Stopped"


def test_a_step_whose_launch_was_lost_is_not_launched_to_be_stopped(world: World) -> None:
    world.sagemaker.crash_before = "CreateProcessingJob"
    arn = world.start([processing("A")])
    eventually(lambda: not world.engine._scheduler._thread.is_alive())
    world.engine.stop(arn)
    world.restart()
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Stopped"}
    assert world.sagemaker.made("CreateProcessingJob") == []


def test_ended_executions_are_not_touched(world: World) -> None:
    arn = world.start([processing("A")])
    modified = world.wait(arn).modified
    world.restart()
    other = world.start([processing("B")])
    world.wait(other)
    assert world.execution(arn).modified == modified
    assert len(world.sagemaker.made("CreateProcessingJob")) == 1
