"""The emulator dies at every write of an execution with a ForEach step; a new one must end alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.engine.fakes import World, eventually
from tests.emulator.engine.test_for_each import body, each, environment, selector, shown
from tests.emulator.engine.test_recovery import Doom, finish_jobs

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

STEPS = [
    each(
        ["3", "20", "7"],
        body("Second", item={"Get": "Steps.First.Environment['ITEM']"}),
        body("First"),
        limit=2,
        arguments=selector("MaxBy", "Second.Environment['ITEM']"),
    ),
    shown("After", "Selected.Environment['ITEM']", "TotalStepCount"),
]
CHILDREN = [f"{name}-{index}" for name in ("First", "Second") for index in range(3)]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    doom = Doom(monkeypatch)
    number = 1
    while crash_and_recover(World(tmp_path / str(number)), doom, number, after):
        number += 1
    assert number > 25, "there are more writes than that"


def crash_and_recover(world: World, doom: Doom, number: int, after: bool) -> bool:
    """Crash at a write, recover, compare with an undisturbed run; False if there are fewer writes."""
    arn = world.store(STEPS)
    doom.arm(number, after=after)
    world.engine.start(arn)
    eventually(lambda: world.over(arn))
    crashed = doom.fatal is None
    doom.fatal = None
    world.restart()
    finish_jobs(world)
    assert world.wait(arn).status == "Succeeded", f"after a crash at write {number}"
    assert world.statuses(arn) == dict.fromkeys(["Fan", *CHILDREN, "After"], "Succeeded")
    jobs = world.resources.with_status("processing-job", "Completed", "InProgress")
    assert len(jobs) == len(CHILDREN) + 1, f"a job was made twice after a crash at write {number}"
    (last,) = [job for job in jobs if "-After-" in job.name]
    assert last.body["Environment"] == {"V0": "20", "V1": "6"}
    world.close()
    return crashed


def test_a_stop_in_the_middle_survives_a_restart(world: World) -> None:
    world.sagemaker.fates = {"Body-0": "hold", "Body-1": "hold"}
    arn = world.start([each(list("abc"), body(), limit=2)])
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    world.engine.close()
    world.engine.stop(arn)
    world.restart()
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"Fan": "Stopped", "Body-0": "Stopped", "Body-1": "Stopped"}


def test_a_child_that_failed_while_the_emulator_was_away_fails_its_step(world: World) -> None:
    world.sagemaker.fates = {"Body-0": "hold", "Body-1": "hold"}
    arn = world.start([each(list("abc"), body(), limit=2)])
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    world.engine.close()
    world.sagemaker.end("Body-0", "Failed", FailureReason="AlgorithmError: no")
    world.sagemaker.end("Body-1")
    world.restart()
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn)["Body-0"] == "Failed"
    assert "Body-0" in world.steps(arn)["Fan"].reason


def test_children_cached_by_an_earlier_execution_are_taken_over(world: World) -> None:
    cached = each(["a", "b"], body(CacheConfig={"Enabled": True}))
    for _ in range(2):
        arn = world.start([cached, shown("After", "IterationOutputs[1].Body.Environment['ITEM']")])
        assert world.wait(arn).status == "Succeeded"
    assert "CacheHitResult" in world.steps(arn)["Body-1"].display
    assert world.steps(arn)["Body-1"].display["IterationContext"]["Index"] == 1
    assert environment(world, "After") == {"V0": "b"}
    assert len(world.sagemaker.made("CreateProcessingJob")) == 4


def test_children_are_retried_as_their_policy_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.engine.retries._delay", lambda policy, count: 0.01)
    world.sagemaker.fates = {"Body-1": "hold"}
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 1}
    arn = world.start([each(["a", "b"], body(RetryPolicies=[policy]))])
    world.wait_for(arn, **{"Body-1": "Executing"})
    world.sagemaker.fates = {}
    world.sagemaker.end("Body-1", "Failed", FailureReason="InternalServerError: again")
    assert world.wait(arn).status == "Succeeded"
    assert world.steps(arn)["Body-1"].attempt == 2
    assert world.steps(arn)["Fan"].metadata["ForEach"]["FailedStepCount"] == 0
