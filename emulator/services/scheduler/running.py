"""A schedule's time has come."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from emulator.services.delivery import UNIVERSAL, service_of
from emulator.services.events.putting import iso_time, new_event
from emulator.services.timetables import parse_schedule
from emulator.store.resources import Resource

if TYPE_CHECKING:
    from emulator.services.context import App
    from emulator.services.delivery import Deliveries

KIND = "schedule"
EXPRESSION = "ScheduleExpression"
ZONE = "ScheduleExpressionTimezone"
START = "StartDate"
END = "EndDate"
TARGET = "Target"
AFTER = "ActionAfterCompletion"
PRECISION = 60.0
"""Seconds within which the Scheduler invokes targets (User Guide, "Schedule types"): a start so recent is now.

SDK v2 and v3 give every schedule the time of their own clock as its start, and expect a rate to begin with it.
"""


def first_time(schedule: Resource, now: float) -> tuple[float | None, float]:
    """When a new or changed schedule fires first, and what its rate counts from."""
    start = schedule.body.get(START)
    origin = max(now, start or now)
    if schedule.status != "ENABLED":
        return None, origin
    timetable = parse_schedule(schedule.body[EXPRESSION], schedule.body.get(ZONE) or "UTC", scheduler=True)
    if schedule.body[EXPRESSION].startswith("rate"):  # without a start date it begins at once
        due = origin if start is None or start > now - PRECISION else timetable.next(now, start)
        return _until_end(schedule, due), start or now
    if schedule.body[EXPRESSION].startswith("at"):
        return timetable.next(0.0, 0.0), origin
    return _until_end(schedule, timetable.next(origin, origin)), origin


def _until_end(schedule: Resource, due: float | None) -> float | None:
    end = schedule.body.get(END)
    return None if due is None or (end is not None and due > end) else due


def run_schedule(
    app: App, deliveries: Deliveries, schedule: Resource, due: float, origin: float, now: float
) -> float | None:
    """Store the delivery of one time, in the caller's transaction; the next time, None if there is none."""
    target = schedule.body[TARGET]
    cause = {"SCHEDULE_ARN": schedule.arn, "SCHEDULED_TIME": iso_time(due)}
    deliveries.add(schedule.scope, target, _input(schedule, target, due), cause)
    timetable = parse_schedule(schedule.body[EXPRESSION], schedule.body.get(ZONE) or "UTC", scheduler=True)
    following = None if schedule.body[EXPRESSION].startswith("at") else timetable.next(now, origin)
    following = _until_end(schedule, following)
    if following is None and schedule.body.get(AFTER) == "DELETE":
        app.resources.delete(schedule.arn)
    return following


def _input(schedule: Resource, target: dict[str, Any], due: float) -> str:
    """The input with its context attributes filled in (Scheduler User Guide, "Context attributes")."""
    text: str | None = target.get("Input")
    if text is None:
        return "{}" if service_of(target) in (UNIVERSAL, "events") else _notification(schedule, due)
    values = {
        "schedule-arn": schedule.arn,
        "scheduled-time": iso_time(due),
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _notification(schedule: Resource, due: float) -> str:
    """What a target gets that asks for nothing ("a default notification", API Reference, Target)."""
    event = new_event(schedule.scope, "aws.scheduler", "Scheduled Event", {}, resources=[schedule.arn], moment=due)
    return json.dumps({**event, "detail": "{}"})
