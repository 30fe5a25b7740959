"""Invocations that must not be lost: what is run, how often, and what comes of it, whatever died before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from emulator.engine.scheduler import Scheduler
from emulator.engine.steps.lambda_step import FUNCTION_ARN, INVOCATION, MAX, ORIGIN, PAYLOAD, STEP
from emulator.gateway.invoke import make_invoke
from emulator.gateway.registry import load_services
from emulator.services.context import App
from emulator.services.lambda_.function_host import HostClosed
from emulator.services.lambda_.invocations import Functions
from emulator.services.lambda_.order import Order
from emulator.services.lambda_.run_folder import Outcome, RunFolder
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.log_streams import LogStreams
from emulator.store.resources import SCHEMA, Resource, Resources, Scope
from tests.emulator.engine.fakes import eventually
from tests.integration.functions import ROLE, zipped

SCOPE = Scope("123456789012", "us-east-1")
DONE = Outcome('{"n": 1}', False)


def concludes(folder: RunFolder) -> None:
    folder.begin()
    folder.conclude(DONE)


def dies_before(folder: RunFolder) -> None:
    """The process ends before the function begins."""


def dies_within(folder: RunFolder) -> None:
    folder.begin()


@dataclass
class FakeHost:
    """Does with each order what the next of ``fates`` says, the last one from then on."""

    fates: list[Callable[[RunFolder], None]]
    orders: list[Order] = field(default_factory=list)
    waited: int = 0

    def run(self, order: Order) -> None:
        self.orders.append(order)
        folder = RunFolder(Path(order.folder))
        claim = folder.claim()
        (self.fates.pop(0) if len(self.fates) > 1 else self.fates[0])(folder)
        os.close(claim)

    def wait_for(self, folder: RunFolder) -> None:
        self.waited += 1
        if folder.is_claimed:
            raise HostClosed

    def close(self) -> None:
        """Nothing runs."""


class World:
    def __init__(self, folder: Path) -> None:
        load_services()
        self.database = Database(folder / "state.db", SCHEMA)
        self.resources = Resources(self.database)
        unused = cast("Any", None)
        logs = LogStreams(folder / "logs", self.database, 1 << 20)
        self.app = App(Settings(data_dir=folder), self.resources, unused, logs, unused, unused, unused)
        self.app.invoke = make_invoke(self.app)
        self.clock = Scheduler("clock")
        self.functions = Functions(self.app, self.clock)
        self.app.neighbours = cast("Any", SimpleNamespace(functions=self.functions))
        request = {"FunctionName": "f", "Runtime": "python3.12", "Role": ROLE, "Handler": "app.handler"}
        code = {"Code": {"ZipFile": zipped("")}}
        self.arn = self.app.invoke(SCOPE, "lambda", "CreateFunction", request | code)["FunctionArn"]

    def host(self, *fates: Callable[[RunFolder], None]) -> FakeHost:
        host = FakeHost(list(fates))
        self.functions._host = cast("Any", host)
        return host

    def store(self, origin: str) -> str:
        """An invocation, as a crash finds it."""
        body = {FUNCTION_ARN: self.arn, PAYLOAD: "{}", ORIGIN: origin, MAX: 600, "Attempt": 1}
        arn = f"{self.arn}/invocation/id"
        self.resources.insert(Resource(SCOPE, INVOCATION, "id", arn, body, "InProgress"))
        return arn

    @property
    def folder(self) -> RunFolder:
        return self.functions._folder("id")

    def ended(self, arn: str) -> dict[str, Any]:
        """Recover, and wait for the end of a step's invocation: its answer."""
        self.clock.start()
        self.functions.recover()
        eventually(lambda: self._at(arn).status in ("Completed", "Failed"))
        eventually(lambda: not self.folder.path.exists())
        return {"status": self._at(arn).status, **json.loads(self._at(arn).body[PAYLOAD])}

    def _at(self, arn: str) -> Resource:
        found = self.resources.by_arn(arn)
        assert found is not None
        return found

    def close(self) -> None:
        self.functions.close()
        self.clock.close()
        self.database.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def left(world: World, what: Callable[[RunFolder], None]) -> None:
    """The folder as an earlier emulator, or the process that ran the function for it, left it."""
    os.close(world.folder.claim())
    what(world.folder)


@pytest.mark.parametrize(
    ("before", "fates", "runs", "error"),
    [
        (None, [concludes], 1, None),
        (dies_before, [concludes], 1, None),
        (concludes, [concludes], 0, None),
        (dies_within, [concludes], 0, "Sandbox.Interrupted"),
        (None, [dies_before, concludes], 2, None),
        (None, [dies_within, concludes], 1, "Sandbox.Interrupted"),
        (None, [dies_before], 3, "Sandbox.Unavailable"),
    ],
)
def test_the_function_of_a_step_begins_at_most_once(
    world: World,
    before: Callable[[RunFolder], None] | None,
    fates: list[Callable[[RunFolder], None]],
    runs: int,
    error: str | None,
) -> None:
    if before is not None:
        left(world, before)
    host, arn = world.host(*fates), world.store(STEP)
    answer = world.ended(arn)
    assert len(host.orders) == runs
    assert all(order.once and order.seconds == 3 for order in host.orders)
    assert (answer["status"], answer.get("errorType")) == (("Failed", error) if error else ("Completed", None))
    assert error or answer["n"] == 1


@pytest.mark.parametrize(
    ("before", "fates", "runs"),
    [
        (None, [concludes], 1),
        (dies_within, [concludes], 1),
        (concludes, [concludes], 0),
        (None, [dies_within, concludes], 2),
    ],
)
def test_an_event_is_tried_until_it_has_an_outcome(
    world: World, before: Callable[[RunFolder], None] | None, fates: list[Callable[[RunFolder], None]], runs: int
) -> None:
    if before is not None:
        left(world, before)
    host, arn = world.host(*fates), world.store("event")
    world.clock.start()
    world.functions.recover()
    eventually(lambda: world.resources.by_arn(arn) is None)
    eventually(lambda: not world.folder.path.exists())
    assert len(host.orders) == runs
    assert {order.id for order in host.orders} <= {"id"}, "the request id is the same each time"


def test_what_an_attempt_left_says_nothing_of_the_next_one(world: World) -> None:
    """The emulator died between the note that an event is to be tried again and the removal of what it left."""
    host, arn = world.host(concludes), world.store("event")
    left(world, lambda folder: folder.conclude(Outcome('{"errorType": "E"}', True)))
    world.resources.update(arn, lambda invocation: invocation.body.update(Attempt=2))
    world.clock.start()
    world.functions.recover()
    eventually(lambda: world.resources.by_arn(arn) is None)
    assert len(host.orders) == 1
    eventually(lambda: not list(world.folder.path.parent.iterdir()))


def test_an_invocation_that_goes_on_elsewhere_is_left_alone_while_the_emulator_stops(world: World) -> None:
    claim, host = world.folder.claim(), world.host(concludes)
    arn = world.store(STEP)
    world.clock.start()
    world.functions.recover()
    eventually(lambda: host.waited > 0)
    assert host.orders == []
    assert world._at(arn).status == "InProgress"
    assert world.folder.is_claimed
    os.close(claim)


def test_folders_that_nobody_waits_for_are_removed(world: World) -> None:
    world.host(concludes)
    os.close(world.folder.claim())
    other = RunFolder(world.folder.path.with_name("other"))
    claim = other.claim()
    world.clock.start()
    world.functions.recover()
    eventually(lambda: not world.folder.path.exists())
    assert other.path.exists(), "a process has it"
    os.close(claim)
