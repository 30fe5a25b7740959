"""RetryPipelineExecution after each kind of failure: what had succeeded is kept, the rest runs anew, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import ValidationException
from tests.emulator.engine.fakes import condition, eventually, fail, processing, register, training
from tests.emulator.engine.neighbours import Neighbourhood, callback_step, each, lambda_step


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Neighbourhood]:
    made = Neighbourhood(tmp_path)
    yield made
    made.close()


Act = Callable[[Neighbourhood, str], None]


def nothing(world: Neighbourhood, arn: str) -> None:
    """It fails, or succeeds, by itself."""


@dataclass(frozen=True)
class Case:
    """A step ``B`` that fails once: what is done before, while and after it runs, and as what it ends again."""

    name: str
    step: dict[str, Any]
    before: Act = nothing
    breaks: Act = nothing
    repair: Act = nothing
    mends: Act = nothing
    again: str = "Succeeded"


def fated(fate: str) -> Act:
    return lambda world, arn: world.sagemaker.fates.update({"B": fate})


def refused(operation: str) -> Act:
    return lambda world, arn: world.sagemaker.refuse.update({operation: ValidationException("not now")})


def allowed(world: Neighbourhood, arn: str) -> None:
    world.sagemaker.refuse.clear()
    world.sagemaker.fates.clear()


def answered(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, B="Executing")
    world.answer(arn, "B", n="3")


def wrongly_answered(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, B="Executing")
    world.answer(arn, "B", n="many")


def disappointed(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, B="Executing")
    world.refuse(arn, "B")


def a_child_disappointed(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    world.answer(arn, "Body-0")
    world.refuse(arn, "Body-1")


def the_children_answered(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    for name in ("Body-0", "Body-1"):
        world.answer(arn, name)


def stopped(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, B="Executing")
    world.engine.stop(arn)


def a_job_stopped_by_somebody(world: Neighbourhood, arn: str) -> None:
    world.wait_for(arn, B="Executing")
    world.sagemaker.end("B", "Stopped")


CASES = (
    Case("job", processing("B", "A"), fated("Failed"), repair=allowed),
    Case("refused job", training("B", "A"), refused("CreateTrainingJob"), repair=allowed),
    Case("job that somebody stopped", processing("B", "A"), fated("hold"), a_job_stopped_by_somebody, allowed),
    Case("stopped execution", processing("B", "A"), fated("hold"), stopped, allowed),
    Case("refused registration", register("B", DependsOn=["A"]), refused("CreateModelPackage"), repair=allowed),
    Case("function", lambda_step("B", "A"), breaks=disappointed, mends=answered),
    Case("function that is not there", lambda_step("B", "A"), refused("GetFunctionConfiguration"), nothing, allowed,
         answered),
    Case("wrong output of a function", lambda_step("B", "A"), breaks=wrongly_answered, mends=answered),
    Case("callback", callback_step("B", "A"), breaks=disappointed, mends=answered),
    Case("wrong output of a callback", callback_step("B", "A"), breaks=wrongly_answered, mends=answered),
    Case("queue that is not there", callback_step("B", "A"), refused("SendMessage"), nothing, allowed, answered),
    Case("iteration", {**each("B", lambda_step("Body")), "DependsOn": ["A"]}, breaks=a_child_disappointed,
         mends=the_children_answered),
    Case("fail step", fail("B", "no", DependsOn=["A"]), again="Failed"),
    Case("condition", condition("B", [{"Type": "GreaterThan", "LeftValue": "x", "RightValue": 3}], DependsOn=["A"]),
         again="Failed"),
)  # fmt: skip


@pytest.mark.parametrize("crash", [False, True], ids=["calm", "crash"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_retry_runs_what_failed_and_keeps_what_succeeded(world: Neighbourhood, case: Case, crash: bool) -> None:
    arn = world.store([processing("A"), case.step, processing("C", "B")])
    case.before(world, arn)
    world.engine.start(arn)
    case.breaks(world, arn)
    assert world.wait(arn).status == ("Stopped" if case.breaks is stopped else "Failed")
    assert list(world.statuses(arn))[:2] == ["A", "B"]
    assert "C" not in world.statuses(arn)
    kept, asked = world.steps(arn)["A"], world.invocations() + len(world.messages())
    if crash:
        world.restart()
    case.repair(world, arn)
    world.engine.retry(arn, lambda resource: None)
    world.engine.start(arn)
    if crash:
        eventually(lambda: "B" in world.statuses(arn))
        world.restart()
    case.mends(world, arn)
    assert world.wait(arn).status == case.again
    assert world.steps(arn)["A"] == kept
    assert jobs_of(world, "A") == 1
    assert world.steps(arn)["B"].attempt == 2
    assert ("C" in world.statuses(arn)) is (case.again == "Succeeded")
    asks = {"Lambda": 1, "Callback": 1, "ForEach": 2}.get(case.step["Type"], 0)
    assert world.invocations() + len(world.messages()) - asked == asks, "asked once more, whatever crashed"


def jobs_of(world: Neighbourhood, step: str) -> int:
    jobs = world.resources.with_status("processing-job", "InProgress", "Completed", "Failed", "Stopped")
    return sum(f"-{step}-" in job.name for job in jobs)
