"""Schedules and groups (EventBridge Scheduler API Reference)."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import NotImplementedHere, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.delivery import UNIVERSAL, check_target, service_of
from emulator.services.idempotency import recall, remember
from emulator.services.scheduler.errors import SchedulerConflict, SchedulerNotFound
from emulator.services.scheduler.running import AFTER, END, EXPRESSION, KIND, START, TARGET, ZONE, first_time
from emulator.services.timetables import ScheduleError, parse_schedule
from emulator.store.resources import Query, Resource, Scope

GROUP = "schedule-group"
DEFAULT = "default"
_CREATE = "CreateSchedule"
_LATEST_SECONDS = 300


def _arn(scope: Scope, kind: str, name: str) -> str:
    return str(Arn(partition_of(scope.region), "scheduler", scope.region, scope.account, f"{kind}/{name}"))


@operation("scheduler", "CreateSchedule")
def create_schedule(request: Request, context: Context) -> Response:
    group, earlier = request.get("GroupName") or DEFAULT, recall(context, _CREATE, request, _conflict)
    if earlier is not None:
        return {"ScheduleArn": earlier}
    _check_group(group, context)
    schedule = _schedule(request, group, context)
    _check_start(schedule)
    with context.app.resources.database.transaction():
        if not context.app.resources.insert(schedule):
            raise SchedulerConflict(f"Schedule {request['Name']} already exists.")
        remember(context, _CREATE, request, schedule.arn)
        _plan(schedule, context)
    context.app.neighbours.courier.wake()
    return {"ScheduleArn": schedule.arn}


def _conflict(token: str) -> SchedulerConflict:
    return SchedulerConflict(f"The ClientToken {token} was used before with other parameters.")


@operation("scheduler", "UpdateSchedule")
def update_schedule(request: Request, context: Context) -> Response:
    """Members that are left out go back to their defaults (API Reference, UpdateSchedule)."""
    schedule = _find(request, context)
    changed = _schedule(request, schedule.parent, context)

    def change(resource: Resource) -> None:
        resource.body, resource.status = changed.body, changed.status

    with context.app.resources.database.transaction():
        context.app.resources.update(schedule.arn, change)
        _plan(changed, context)
    context.app.neighbours.courier.wake()
    return {"ScheduleArn": schedule.arn}


def _schedule(request: Request, group: str, context: Context) -> Resource:
    window = request["FlexibleTimeWindow"]  # a schedule that starts on time starts within any window
    if window["Mode"] == "FLEXIBLE" and not window.get("MaximumWindowInMinutes"):
        raise ValidationException("MaximumWindowInMinutes is required if the mode of FlexibleTimeWindow is FLEXIBLE.")
    if request.get("KmsKeyArn"):
        raise NotImplementedHere("The emulator has no KMS, so it cannot encrypt a schedule (KmsKeyArn).")
    zone = request.get(ZONE) or "UTC"
    try:
        parse_schedule(request[EXPRESSION], zone, scheduler=True)
    except ScheduleError as error:
        raise ValidationException(f"Invalid Schedule Expression {request[EXPRESSION]}. Reason: {error}.") from error
    _check_target(request[TARGET])
    name, now = request["Name"], time.time()
    body: dict[str, Any] = {
        "Name": name,
        EXPRESSION: request[EXPRESSION],
        ZONE: zone,
        "Description": request.get("Description"),
        "FlexibleTimeWindow": request["FlexibleTimeWindow"],
        TARGET: request[TARGET],
        AFTER: request.get(AFTER, "NONE"),
        START: _seconds(request.get(START)),
        END: _seconds(request.get(END)),
    }
    arn = _arn(context.scope, "schedule", f"{group}/{name}")
    return Resource(context.scope, KIND, f"{group}/{name}", arn, body, request.get("State", "ENABLED"), group, now)


def _check_start(schedule: Resource) -> None:
    start = schedule.body[START]
    if start is not None and start < time.time() - _LATEST_SECONDS:
        raise ValidationException("The StartDate you specify cannot be earlier than 5 minutes ago.")


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _check_target(target: dict[str, Any]) -> None:
    check_target(target)
    service = service_of(target)
    if service == "events" and not target.get("EventBridgeParameters"):
        raise ValidationException("EventBridgeParameters are required for an event bus.")
    if service in (UNIVERSAL, "events"):
        try:
            document = json.loads(target.get("Input") or "{}")
        except ValueError as error:
            raise ValidationException(f"Invalid Input: {error}") from error
        if not isinstance(document, dict):
            raise ValidationException("Invalid Input: it must be a JSON object.")


def _plan(schedule: Resource, context: Context) -> None:
    due, origin = first_time(schedule, time.time())
    context.app.neighbours.courier.plan(schedule.arn, due, origin)


def _find(request: Request, context: Context) -> Resource:
    group = request.get("GroupName") or DEFAULT
    schedule = context.app.resources.get(context.scope, KIND, f"{group}/{request['Name']}")
    if schedule is None:
        raise SchedulerNotFound(f"Schedule {request['Name']} does not exist.")
    return schedule


@operation("scheduler", "GetSchedule")
def get_schedule(request: Request, context: Context) -> Response:
    schedule = _find(request, context)
    return {
        **schedule.body,
        "Arn": schedule.arn,
        "GroupName": schedule.parent,
        "State": schedule.status,
        "CreationDate": schedule.created,
        "LastModificationDate": schedule.modified,
    }


@operation("scheduler", "DeleteSchedule")
def delete_schedule(request: Request, context: Context) -> Response:
    _delete(_find(request, context), context)
    return {}


def _delete(schedule: Resource, context: Context) -> None:
    with context.app.resources.database.transaction():
        context.app.resources.delete(schedule.arn)
        context.app.neighbours.courier.plan(schedule.arn, None, 0.0)


@operation("scheduler", "ListSchedules")
def list_schedules(request: Request, context: Context) -> Response:
    group, prefix = request.get("GroupName"), request.get("NamePrefix") or ""
    query = Query(
        KIND,
        parent=group,
        name_prefix=f"{group}/{prefix}" if group else None,
        name_contains=f"/{prefix}" if prefix and not group else None,
        status=request.get("State"),
        sort_by="Name",
        descending=False,
        max_results=request.get("MaxResults", 100),
        next_token=request.get("NextToken"),
    )
    schedules, token = context.app.resources.page(context.scope, query)
    return {"Schedules": [_summary(schedule) for schedule in schedules], "NextToken": token}


def _summary(schedule: Resource) -> dict[str, Any]:
    return {
        "Arn": schedule.arn,
        "Name": schedule.body["Name"],
        "GroupName": schedule.parent,
        "State": schedule.status,
        "CreationDate": schedule.created,
        "LastModificationDate": schedule.modified,
        "Target": {"Arn": schedule.body[TARGET]["Arn"]},
    }


# Groups


def _check_group(name: str, context: Context) -> None:
    if name != DEFAULT and context.app.resources.get(context.scope, GROUP, name) is None:
        raise SchedulerNotFound(f"Schedule group {name} does not exist.")


@operation("scheduler", "CreateScheduleGroup")
def create_schedule_group(request: Request, context: Context) -> Response:
    name = request["Name"]
    arn = _arn(context.scope, "schedule-group", name)
    group = Resource(context.scope, GROUP, name, arn, {}, "ACTIVE")
    if name == DEFAULT or not context.app.resources.insert(group):
        raise SchedulerConflict(f"Schedule group {name} already exists.")
    context.app.resources.add_tags(arn, request.get("Tags") or [])
    return {"ScheduleGroupArn": arn}


@operation("scheduler", "GetScheduleGroup")
def get_schedule_group(request: Request, context: Context) -> Response:
    name = request["Name"]
    _check_group(name, context)
    return _group(context.app.resources.get(context.scope, GROUP, name), name, context)


def _group(group: Resource | None, name: str, context: Context) -> dict[str, Any]:
    times = {} if group is None else {"CreationDate": group.created, "LastModificationDate": group.modified}
    return {"Arn": _arn(context.scope, "schedule-group", name), "Name": name, "State": "ACTIVE", **times}


@operation("scheduler", "ListScheduleGroups")
def list_schedule_groups(request: Request, context: Context) -> Response:
    """By name, the default group among them; the token is the last name of the page."""
    groups = context.app.resources.walk(context.scope, Query(GROUP, sort_by="Name", descending=False))
    shown = [_group(None, DEFAULT, context), *(_group(group, group.name, context) for group in groups)]
    prefix, after, limit = (
        request.get("NamePrefix") or "",
        request.get("NextToken") or "",
        request.get("MaxResults", 100),
    )
    found = sorted(
        (group for group in shown if group["Name"].startswith(prefix) and group["Name"] > after),
        key=lambda group: group["Name"],
    )
    page = found[:limit]
    return {"ScheduleGroups": page, "NextToken": page[-1]["Name"] if len(found) > limit else None}


@operation("scheduler", "DeleteScheduleGroup")
def delete_schedule_group(request: Request, context: Context) -> Response:
    """Its schedules go with it."""
    name = request["Name"]
    if name == DEFAULT:
        raise ValidationException("The default schedule group cannot be deleted.")
    _check_group(name, context)
    with context.app.resources.database.transaction():
        for schedule in list(context.app.resources.walk(context.scope, Query(KIND, parent=name))):
            _delete(schedule, context)
        context.app.resources.delete(_arn(context.scope, "schedule-group", name))
    return {}
