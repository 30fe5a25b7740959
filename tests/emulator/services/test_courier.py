"""Events, schedules and deliveries without threads: one step of the courier at a time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from emulator.aws.errors import AwsError, ValidationException
from emulator.engine.store import ExecutionStore
from emulator.gateway.invoke import make_invoke
from emulator.gateway.registry import load_services
from emulator.services import courier, delivery, worker
from emulator.services.context import App
from emulator.services.courier import Courier
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.messages import Message, Messages
from emulator.store.object_events import SETTING
from emulator.store.objects import ObjectStore
from emulator.store.queues import Queues
from emulator.store.resources import SCHEMA, Resource, Resources, Scope

SCOPE = Scope("123456789012", "us-east-1")
PIPELINE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


class World:
    """As much of an emulator as the courier needs; ``restart`` forgets everything that is not in the database."""

    def __init__(self, folder: Path) -> None:
        load_services()
        self._folder = folder
        self.restart()

    def restart(self) -> None:
        self.close()
        self.database = Database(self._folder / "state.db", SCHEMA)
        resources = Resources(self.database)
        ExecutionStore(self.database)
        unused = cast("Any", None)
        objects = ObjectStore(self._folder / "objects")
        self.app = App(Settings(data_dir=self._folder), resources, objects, unused, unused, unused, unused)
        self.app.invoke = make_invoke(self.app)
        queues = Queues(self.database)
        neighbours = SimpleNamespace(
            queues=queues, messages=Messages(queues), functions=SimpleNamespace(wake=lambda: None)
        )
        self.app.neighbours = cast("Any", neighbours)
        self.courier = neighbours.courier = Courier(self.app)

    def close(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.app.objects.close()

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        return self.app.invoke(SCOPE, service, operation, request)

    def rule(self, **members: Any) -> str:
        self.call("sqs", "CreateQueue", QueueName="q")
        arn = str(self.call("events", "PutRule", Name="r", **members)["RuleArn"])
        self.call("events", "PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
        return arn

    def execution(self, name: str) -> str:
        arn = f"{PIPELINE}/execution/{name}"
        self.app.resources.insert(
            Resource(SCOPE, "pipeline-execution", name, arn, {"PipelineArn": PIPELINE}, "Executing")
        )
        return arn

    def received(self) -> list[Message]:
        queues = self.app.neighbours.queues
        queue = queues.find(SCOPE, "q")
        assert queue is not None
        return self.app.neighbours.messages.receive(queue, 10, 30)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def statuses(messages: list[Message]) -> list[str]:
    return [json.loads(message.body)["detail"]["currentPipelineExecutionStatus"] for message in messages]


def test_a_change_is_noted_by_the_database_and_delivered_after_a_crash(world: World) -> None:
    world.rule(EventPattern='{"source": ["aws.sagemaker"]}')
    arn = world.execution("one")

    def fail(resource: Resource) -> None:
        resource.status = "Failed"

    world.app.resources.update(arn, fail)
    world.restart()
    world.courier.step()
    assert statuses(world.received()) == ["Executing", "Failed"]
    world.courier.step()
    assert world.received() == []


def test_nothing_is_noted_while_no_rule_is_enabled(world: World) -> None:
    world.execution("before")
    world.rule(EventPattern='{"source": ["aws.sagemaker"]}')
    world.call("events", "DisableRule", Name="r")
    world.execution("meanwhile")
    world.call("events", "EnableRule", Name="r")
    world.execution("after")
    world.courier.step()
    (message,) = world.received()
    assert json.loads(message.body)["detail"]["pipelineExecutionArn"].endswith("after")


def test_a_change_that_is_rolled_back_is_no_event(world: World) -> None:
    world.rule(EventPattern='{"source": ["aws.sagemaker"]}')
    with pytest.raises(RuntimeError), world.database.transaction():
        world.execution("never")
        raise RuntimeError
    world.courier.step()
    assert world.received() == []


def test_times_that_were_missed_fire_once(world: World) -> None:
    arn = world.rule(ScheduleExpression="rate(1 minute)")
    now = time.time()
    world.courier.plan(arn, now - 3600, now - 7200)
    world.restart()
    world.courier.step()
    world.courier.step()
    (message,) = world.received()
    event = json.loads(message.body)
    assert (event["detail-type"], event["resources"]) == ("Scheduled Event", [arn])
    row = world.database.read_one("SELECT due FROM timetable WHERE arn = ?", (arn,))
    assert row is not None
    assert now < row["due"] <= now + 61


def test_a_schedule_that_cannot_be_fired_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = world.rule(ScheduleExpression="rate(1 minute)")
    now = time.time()
    world.courier.plan(arn, now - 3600, now - 7200)
    world.courier.plan("arn:first", now - 3601, now - 7200)
    fire = courier.fire_schedule

    def failing(app: Any, deliveries: Any, what: str, *times: Any) -> float | None:
        if what == "arn:first":
            raise ValueError("a fault")
        return fire(app, deliveries, what, *times)

    monkeypatch.setattr(courier, "fire_schedule", failing)
    with pytest.raises(ValueError, match="a fault"):
        world.courier.step()
    assert len(world.received()) == 1


@pytest.mark.parametrize("expression", ["at(2026-01-01T00:00:00)", "rate(1 minute)", "cron(* * * * ? *)"])
def test_a_schedule_that_was_missed_fires_once_and_goes_if_it_has_no_other_time(world: World, expression: str) -> None:
    world.call("sqs", "CreateQueue", QueueName="q")
    arn = world.call(
        "scheduler",
        "CreateSchedule",
        Name="s",
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        ActionAfterCompletion="DELETE",
        Target={"Arn": QUEUE, "RoleArn": "arn:aws:iam::123456789012:role/r"},
    )["ScheduleArn"]
    now = time.time()
    world.courier.plan(arn, now - 3600, now - 7200)
    world.restart()
    world.courier.step()
    world.restart()
    world.courier.step()
    assert len(world.received()) == 1
    row = world.database.read_one("SELECT due FROM timetable WHERE arn = ?", (arn,))
    again = row is not None and now < row["due"] <= now + 61
    assert again is not expression.startswith("at")
    assert (world.app.resources.by_arn(arn) is not None) is again


def test_what_the_target_refuses_goes_to_the_dead_letter_queue(world: World) -> None:
    world.rule(EventPattern='{"source": ["mine"]}')
    gone = {"Id": "1", "Arn": QUEUE.replace(":q", ":gone"), "DeadLetterConfig": {"Arn": QUEUE}}
    world.call("events", "PutTargets", Rule="r", Targets=[gone])
    world.call("events", "PutEvents", Entries=[{"Source": "mine", "DetailType": "t", "Detail": "{}"}])
    world.courier.step()
    (message,) = world.received()
    told = {name: value["StringValue"] for name, value in message.attributes.items()}
    assert told == {
        "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/r",
        "TARGET_ARN": gone["Arn"],
        "ERROR_CODE": "QueueDoesNotExist",
        "ERROR_MESSAGE": "The specified queue does not exist.",
        "RETRY_ATTEMPTS": "0",
    }
    assert json.loads(message.body)["source"] == "mine"


@pytest.mark.parametrize(
    ("policy", "condition"),
    [
        ({"MaximumRetryAttempts": 0}, "MaximumRetryAttempts"),
        ({"MaximumEventAgeInSeconds": 0}, "MaximumEventAgeInSeconds"),
    ],
)
def test_a_dead_letter_says_what_ended_the_retries(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: dict[str, int], condition: str
) -> None:
    def throttle(*_: object) -> None:
        raise AwsError("Rate exceeded", code="ThrottlingException")

    monkeypatch.setitem(delivery._CARRIERS, "sns", throttle)
    world.call("sqs", "CreateQueue", QueueName="q")
    target = {"Arn": QUEUE.replace("sqs", "sns"), "RetryPolicy": policy, "DeadLetterConfig": {"Arn": QUEUE}}
    world.courier.deliveries.add(SCOPE, target, "lost", {"RULE_ARN": "arn"})
    world.courier.step()
    (message,) = world.received()
    told = {name: value["StringValue"] for name, value in message.attributes.items()}
    assert (told["ERROR_CODE"], told["RETRY_ATTEMPTS"], told["RULE_ARN"]) == ("ThrottlingException", "0", "arn")
    assert told["EXHAUSTED_RETRY_CONDITION"] == condition


BUS = "arn:aws:events:us-east-1:123456789012:event-bus/default"


def test_what_is_no_event_for_a_bus_goes_to_the_dead_letter_queue_and_the_rest_is_delivered(world: World) -> None:
    world.rule(EventPattern='{"source": ["mine"]}')
    plain = {"Id": "0", "Arn": BUS, "Input": '"hello"', "DeadLetterConfig": {"Arn": QUEUE}}
    world.call("events", "PutTargets", Rule="r", Targets=[plain])
    world.call("events", "PutEvents", Entries=[{"Source": "mine", "DetailType": "t", "Detail": "{}"}])
    world.courier.step()
    bodies = {message.body for message in world.received()}
    assert '"hello"' in bodies
    assert len(bodies) == 2


def test_a_delivery_that_fails_in_the_emulator_itself_keeps_no_other_from_being_made(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("over its own feet")

    monkeypatch.setitem(delivery._CARRIERS, "sns", stumble)
    deliveries = world.courier.deliveries
    world.call("sqs", "CreateQueue", QueueName="q")
    deliveries.add(SCOPE, {"Arn": QUEUE.replace("sqs", "sns")}, "before")
    deliveries.add(SCOPE, {"Arn": QUEUE}, "after")
    world.courier.step()
    assert [message.body for message in world.received()] == ["after"]
    assert "over its own feet" in caplog.text
    assert deliveries.next_due() is not None


def test_an_operation_that_would_wait_is_not_called_from_a_schedule(world: World) -> None:
    world.call("sqs", "CreateQueue", QueueName="q")
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage", "DeadLetterConfig": {"Arn": QUEUE}}
    world.courier.deliveries.add(SCOPE, target, json.dumps({"QueueUrl": "q", "WaitTimeSeconds": 1}))
    world.courier.step()
    (message,) = world.received()
    assert message.attributes["ERROR_CODE"]["StringValue"] == "NotImplemented"


def test_the_courier_outlives_what_it_stumbles_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[None] = []
    went_on = threading.Event()

    def step() -> None:
        steps.append(None)
        if len(steps) == 1:
            raise RuntimeError
        went_on.set()

    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(world.courier, "step", step)
    world.courier.start()
    assert went_on.wait(30)
    world.courier.close()


def test_a_universal_target_names_a_service_and_an_action(world: World) -> None:
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    members = {"ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    with pytest.raises(ValidationException, match="service:apiAction"):
        world.call("scheduler", "CreateSchedule", Name="s", **members)


def test_a_disabled_rule_no_longer_fires(world: World) -> None:
    arn = world.rule(ScheduleExpression="rate(1 minute)")
    world.call("events", "DisableRule", Name="r")
    assert world.database.read("SELECT * FROM timetable WHERE arn = ?", (arn,)) == []


def told(messages: list[Message]) -> list[str]:
    return [json.loads(message.body)["Records"][0]["s3"]["object"]["key"] for message in messages]


def test_an_object_is_told_once_whenever_the_emulator_dies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.call("sqs", "CreateQueue", QueueName="q")
    world.app.objects.create_bucket(SCOPE, "watched")
    world.app.objects.put_bytes("watched", "before", b"")
    entry = {"Id": "1", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}
    world.app.objects.bucket_table.set_setting("watched", SETTING, {"QueueConfigurations": [entry]})
    world.app.objects.put_bytes("watched", "one", b"")
    world.restart()

    def die(last: int) -> None:
        raise OSError

    monkeypatch.setattr(world.app.objects.events, "taken", die)
    with pytest.raises(OSError):  # noqa: PT011 - ours, between the two databases
        world.courier.step()
    world.app.objects.put_bytes("watched", "two", b"")
    world.restart()
    assert [event.key for event in world.app.objects.events.pending(9)] == ["one", "two"]
    world.courier.step()
    assert told(world.received()) == ["one", "two"]
    assert world.app.objects.events.pending(9) == []


def test_an_object_that_was_not_stored_is_not_told(world: World) -> None:
    objects, woken = world.app.objects, []
    objects.create_bucket(SCOPE, "watched")
    objects.bucket_table.set_setting("watched", SETTING, {"EventBridgeConfiguration": {}})
    objects.events.subscribe(lambda: woken.append(objects.events.pending(9)[-1].key))

    objects.put_bytes("watched", "one", b"")
    objects.delete("watched", "nothing")
    with pytest.raises(OSError), objects.database.transaction():  # noqa: PT011 - ours
        objects.put_bytes("watched", "two", b"")
        raise OSError
    objects.put_bytes("watched", "three", b"")
    assert [event.key for event in objects.events.pending(9)] == ["one", "three"]
    assert woken == ["one", "three"]
