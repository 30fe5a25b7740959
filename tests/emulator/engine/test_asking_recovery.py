"""The emulator dies at every write of an execution that asks functions and people: each is asked and told once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from emulator.engine.steps.callback import KIND, VALUES
from emulator.engine.steps.lambda_step import INVOCATION, PAYLOAD
from emulator.store.resources import Resource
from tests.emulator.engine.fakes import ENDED, condition, equals, eventually
from tests.emulator.engine.neighbours import Neighbourhood, callback_step, each, lambda_step
from tests.emulator.engine.test_recovery import Doom

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

STEPS = [
    lambda_step("Call"),
    each("Each", lambda_step("Body")),
    callback_step("Ask", "Call", "Each"),
    condition("Check", [equals({"Get": "Steps.Ask.OutputParameters['n']"}, 3)], [lambda_step("Late")]),
]
SUCCEEDED = dict.fromkeys(("Call", "Each", "Body-0", "Body-1", "Ask", "Check", "Late"), "Succeeded")
STOPPED = dict.fromkeys(("Call", "Each", "Body-0", "Body-1", "Ask"), "Succeeded")


class EnginesDoom(Doom):
    """Those who are asked live on."""

    def _count(self, *, before: bool) -> None:
        if threading.current_thread().name == "engine":
            super()._count(before=before)


def take_part(world: Neighbourhood, arn: str, *, stop: bool) -> None:
    """What functions and people do at this moment; with ``stop`` somebody stops the execution while it asks."""
    for invocation in world.resources.with_status(INVOCATION, "InProgress"):
        world.resources.update(invocation.arn, answer_function)
    for callback in world.resources.with_status(KIND, "InProgress"):
        if not stop or "Stopping" in world.messages():
            world.resources.update(callback.arn, answer_callback)
        elif world.execution(arn).status == "Executing":
            world.engine.stop(arn)


def answer_function(invocation: Resource) -> None:
    invocation.status = "Completed"
    invocation.body[PAYLOAD] = json.dumps({"n": 3})


def answer_callback(callback: Resource) -> None:
    callback.status = "Completed"
    callback.body[VALUES] = {"n": "3"}


@pytest.mark.parametrize(("after", "stop"), [(False, True), (True, False)], ids=["before-stopped", "after-calm"])
def test_a_crash_at_any_write_asks_and_tells_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool, stop: bool
) -> None:
    doom, number = EnginesDoom(monkeypatch), 1
    while crash_and_recover(Neighbourhood(tmp_path / str(number)), doom, number, after=after, stop=stop):
        number += 1
    assert number > 10, "there are more writes than that"


def crash_and_recover(world: Neighbourhood, doom: Doom, number: int, *, after: bool, stop: bool) -> bool:
    """Crash at a write, recover, compare with an undisturbed run; False if there are fewer writes."""
    arn = world.store(STEPS)
    doom.arm(number, after=after)
    world.engine.start(arn)
    go_on(world, arn, stop=stop)
    crashed = doom.fatal is None
    doom.fatal = None
    world.restart()
    go_on(world, arn, stop=stop)
    assert world.execution(arn).status == ("Stopped" if stop else "Succeeded"), f"after a crash at write {number}"
    assert world.statuses(arn) == (STOPPED if stop else SUCCEEDED)
    assert world.invocations() == (3 if stop else 4), f"a function was called twice after a crash at write {number}"
    assert world.messages() == (["Executing", "Stopping"] if stop else ["Executing"])
    world.close()
    return crashed


def go_on(world: Neighbourhood, arn: str, *, stop: bool) -> None:
    """Until the execution has ended, or the engine has died."""

    def over() -> bool:
        take_part(world, arn, stop=stop)
        return not world.engine._scheduler._thread.is_alive() or world.execution(arn).status in ENDED

    eventually(over)
