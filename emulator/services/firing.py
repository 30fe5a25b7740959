"""What happens when the time of a scheduled rule or of a schedule has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.services.events.buses import RULE
from emulator.services.events.putting import fire, new_event
from emulator.services.events.rules import SCHEDULE
from emulator.services.scheduler.running import KIND as SCHEDULE_KIND
from emulator.services.scheduler.running import run_schedule
from emulator.services.timetables import parse_schedule

if TYPE_CHECKING:
    from emulator.services.context import App
    from emulator.services.delivery import Deliveries
    from emulator.store.resources import Resource


def fire_schedule(app: App, deliveries: Deliveries, arn: str, due: float, origin: float, now: float) -> float | None:
    """Store the deliveries of one time, in the caller's transaction; the next time, None if there is none."""
    resource = app.resources.by_arn(arn)
    if resource is None or resource.status != "ENABLED":
        return None
    if resource.kind == SCHEDULE_KIND:
        return run_schedule(app, deliveries, resource, due, origin, now)
    assert resource.kind == RULE, f"{arn} has no schedule"
    return _fire_rule(deliveries, resource, due, origin, now)


def _fire_rule(deliveries: Deliveries, rule: Resource, due: float, origin: float, now: float) -> float | None:
    event = new_event(rule.scope, "aws.events", "Scheduled Event", {}, resources=[rule.arn], moment=due)
    fire(rule, event, deliveries)
    return parse_schedule(rule.body[SCHEDULE]).next(now, origin)
