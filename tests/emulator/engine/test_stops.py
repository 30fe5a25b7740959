"""StopPipelineExecution while each kind of step is in each of its states, with and without a crash in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import AwsError
from tests.emulator.engine.fakes import ENDED, eventually, processing, training
from tests.emulator.engine.neighbours import Neighbourhood, callback_step, each, lambda_step


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Neighbourhood]:
    made = Neighbourhood(tmp_path)
    yield made
    made.close()


@dataclass(frozen=True)
class Case:
    """A step ``A`` that runs, what ends it once the execution is stopping, and what it and the execution become."""

    name: str
    step: dict[str, Any]
    end: Callable[[Neighbourhood, str], None]
    becomes: str
    execution: str = "Stopped"
    waits_for: str = "A"
    """The step that is waited for: a child of ``A``."""


def by_itself(world: Neighbourhood, arn: str) -> None:
    """A job ends when it is asked to stop."""


def limit(world: Neighbourhood, arn: str) -> None:
    world.refuse(arn, "A", "RequestId: x Error: Task timed out after 600.00 seconds")


def children(world: Neighbourhood, arn: str) -> None:
    for number in range(2):
        world.answer(arn, f"Body-{number}", n="1")


CASES = (
    Case("processing", processing("A"), by_itself, "Stopped"),
    Case("training", training("A"), by_itself, "Stopped"),
    Case("lambda answers", lambda_step("A"), lambda world, arn: world.answer(arn, "A"), "Succeeded"),
    Case("lambda fails", lambda_step("A"), lambda world, arn: world.refuse(arn, "A"), "Failed"),
    Case("lambda hits the step's limit", lambda_step("A"), limit, "Failed", "Failed"),
    Case("callback answers", callback_step("A"), lambda world, arn: world.answer(arn, "A", n="1"), "Succeeded"),
    Case("callback fails", callback_step("A"), lambda world, arn: world.refuse(arn, "A"), "Failed"),
    Case("jobs of an iteration", each("A", processing("Body")), by_itself, "Stopped", waits_for="Body-1"),
    Case(
        "callbacks of an iteration",
        each("A", callback_step("Body")),
        children,
        "Stopped",
        waits_for="Body-1",
    ),
)  # fmt: skip
CRASHES = ("never", "before the stop", "after the stop", "before and after")


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_running_step_is_stopped_or_waited_for(world: Neighbourhood, case: Case, crash: str) -> None:
    world.sagemaker.fates = {"A": "hold", "Body-0": "hold", "Body-1": "hold"}
    arn = world.start([case.step, processing("Next", "A")])
    world.wait_for(arn, **{case.waits_for: "Executing"})
    asked = len(world.messages())
    if "before" in crash:
        world.restart()
    world.engine.stop(arn)
    if case.end is not by_itself:
        eventually(lambda: "Stopping" in world.statuses(arn).values())
    if "after" in crash:
        world.restart()
    world.engine.stop(arn)  # asked twice, as clients do that got no answer
    if asked:
        eventually(lambda: len(world.messages()) == 2 * asked)
    case.end(world, arn)
    assert world.wait(arn).status == case.execution
    assert world.statuses(arn)["A"] == case.becomes
    assert "Next" not in world.statuses(arn)
    assert all(status in ENDED for status in world.statuses(arn).values())
    assert world.messages() == ["Executing"] * asked + ["Stopping"] * asked, "each is told once"


@pytest.mark.parametrize("crash", [False, True])
def test_a_step_that_waits_for_another_attempt_ends_at_once(world: Neighbourhood, crash: bool) -> None:
    world.sagemaker.refuse = {"CreateProcessingJob": AwsError("Rate exceeded", code="ThrottlingException")}
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 600, "BackoffRate": 1, "MaxAttempts": 3}
    arn = world.start([processing("A", RetryPolicies=[policy])])
    eventually(lambda: world.steps(arn).get("A") is not None and world.steps(arn)["A"].attempt == 2)
    if crash:
        world.restart()
    world.engine.stop(arn)
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Stopped"}


@pytest.mark.parametrize("crash", [False, True])
def test_a_stop_before_the_first_step_begins_none(world: Neighbourhood, crash: bool) -> None:
    arn = world.store([lambda_step("A")])
    world.engine.stop(arn)
    if crash:
        world.restart()
    assert world.wait(arn).status == "Stopped"
    assert world.steps(arn) == {}
    assert world.invocations() == 0


def test_what_needs_no_work_is_over_before_a_stop_can_come(world: Neighbourhood) -> None:
    arn = world.start([{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}])
    assert world.wait(arn).status == "Failed"
    world.engine.stop(arn)
    world.engine.stop(arn)
    assert world.execution(arn).status == "Failed"


def test_a_timeout_while_stopping_is_not_forgotten_in_a_crash(world: Neighbourhood) -> None:
    arn = world.start([lambda_step("A"), callback_step("B")])
    world.wait_for(arn, A="Executing", B="Executing")
    world.engine.stop(arn)
    world.wait_for(arn, A="Stopping", B="Stopping")
    limit(world, arn)
    world.wait_for(arn, A="Failed")
    world.restart()
    world.answer(arn, "B", n="1")
    assert world.wait(arn).status == "Failed"
    assert "did not end within 10 minutes" in world.steps(arn)["A"].reason
