"""Rules and their targets (API Reference, PutRule and PutTargets)."""

from __future__ import annotations

import time
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.events.buses import DEFAULT, RULE, bus_name, check_bus
from emulator.services.events.errors import EventsNotFound, InvalidEventPattern
from emulator.services.events.patterns import PatternError, parse_pattern
from emulator.services.events.targets import check_rule_target
from emulator.services.tagging import serve_tags
from emulator.services.timetables import ScheduleError, parse_schedule
from emulator.store.resources import Query, Resource, Scope

PATTERN = "EventPattern"
SCHEDULE = "ScheduleExpression"
TARGETS = "Targets"
MAX_TARGETS = 5


def rule_arn(scope: Scope, bus: str, name: str) -> str:
    place = name if bus == DEFAULT else f"{bus}/{name}"
    return str(Arn(partition_of(scope.region), "events", scope.region, scope.account, f"rule/{place}"))


@operation("events", "PutRule")
def put_rule(request: Request, context: Context) -> Response:
    bus = bus_name(request)
    check_bus(bus, context)
    _check(request, bus)
    members = ("Name", PATTERN, SCHEDULE, "Description", "RoleArn")
    body = {member: request.get(member) for member in members}
    arn = rule_arn(context.scope, bus, request["Name"])
    status = request.get("State", "ENABLED")
    rule = Resource(context.scope, RULE, f"{bus}/{request['Name']}", arn, {**body, TARGETS: []}, status, bus)

    def change(existing: Resource) -> None:
        existing.body |= body
        existing.status = status

    with context.app.resources.database.transaction():
        if not context.app.resources.insert(rule):
            context.app.resources.update(arn, change)
        _plan(arn, body[SCHEDULE] if status == "ENABLED" else None, context)
        context.app.resources.add_tags(arn, request.get("Tags") or [])
    context.app.neighbours.courier.wake()
    return {"RuleArn": arn}


def _check(request: Request, bus: str) -> None:
    pattern, schedule = request.get(PATTERN), request.get(SCHEDULE)
    if not pattern and not schedule:
        raise ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if pattern:
        try:
            parse_pattern(pattern)
        except PatternError as error:
            raise InvalidEventPattern(f"Event pattern is not valid. Reason: {error}") from error
    if schedule:
        if bus != DEFAULT:
            raise ValidationException("ScheduleExpression is supported only on the default event bus.")
        try:
            parse_schedule(schedule)
        except ScheduleError as error:
            raise ValidationException(f"Parameter ScheduleExpression is not valid. Reason: {error}.") from error


def _plan(arn: str, schedule: str | None, context: Context) -> None:
    now = time.time()
    due = parse_schedule(schedule).next(now, now) if schedule else None
    context.app.neighbours.courier.plan(arn, due, now)


def find_rule(name: str, bus: str, context: Context) -> Resource:
    """
    Raises:
        EventsNotFound: there is none.
    """
    rule = context.app.resources.get(context.scope, RULE, f"{bus}/{name}")
    if rule is None:
        raise EventsNotFound(f"Rule {name} does not exist on EventBus {bus}.")
    return rule


def _shown(rule: Resource) -> dict[str, Any]:
    body = {member: value for member, value in rule.body.items() if member != TARGETS}
    return {**body, "Arn": rule.arn, "State": rule.status, "EventBusName": rule.parent}


@operation("events", "DescribeRule")
def describe_rule(request: Request, context: Context) -> Response:
    rule = find_rule(request["Name"], bus_name(request), context)
    return {**_shown(rule), "CreatedBy": rule.scope.account}


@operation("events", "ListRules")
def list_rules(request: Request, context: Context) -> Response:
    bus = bus_name(request)
    check_bus(bus, context)
    query = Query(
        RULE,
        parent=bus,
        name_prefix=f"{bus}/{request.get('NamePrefix', '')}",
        sort_by="Name",
        descending=False,
        max_results=request.get("Limit", 100),
        next_token=request.get("NextToken"),
    )
    rules, token = context.app.resources.page(context.scope, query)
    return {"Rules": [_shown(rule) for rule in rules], "NextToken": token}


@operation("events", "EnableRule")
def enable_rule(request: Request, context: Context) -> Response:
    return _set_state(request, "ENABLED", context)


@operation("events", "DisableRule")
def disable_rule(request: Request, context: Context) -> Response:
    return _set_state(request, "DISABLED", context)


def _set_state(request: Request, state: str, context: Context) -> Response:
    rule = find_rule(request["Name"], bus_name(request), context)

    def change(resource: Resource) -> None:
        resource.status = state

    with context.app.resources.database.transaction():
        context.app.resources.update(rule.arn, change)
        _plan(rule.arn, rule.body[SCHEDULE] if state == "ENABLED" else None, context)
    context.app.neighbours.courier.wake()
    return {}


@operation("events", "DeleteRule")
def delete_rule(request: Request, context: Context) -> Response:
    rule = context.app.resources.get(context.scope, RULE, f"{bus_name(request)}/{request['Name']}")
    if rule is None:
        return {}
    if rule.body[TARGETS]:
        raise ValidationException("Rule can't be deleted since it has targets.")
    with context.app.resources.database.transaction():
        context.app.resources.delete(rule.arn)
        _plan(rule.arn, None, context)
    return {}


@operation("events", "PutTargets")
def put_targets(request: Request, context: Context) -> Response:
    rule = find_rule(request["Rule"], bus_name(request), context)
    for target in request["Targets"]:
        check_rule_target(target)

    def put(resource: Resource) -> None:
        targets = {target["Id"]: target for target in resource.body[TARGETS]}
        targets |= {target["Id"]: target for target in request["Targets"]}
        if len(targets) > MAX_TARGETS:
            raise ValidationException(
                f"The requested resource exceeds the maximum number allowed: {MAX_TARGETS} targets.",
                code="LimitExceededException",
            )
        resource.body[TARGETS] = list(targets.values())

    context.app.resources.update(rule.arn, put)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation("events", "ListTargetsByRule")
def list_targets_by_rule(request: Request, context: Context) -> Response:
    return {"Targets": find_rule(request["Rule"], bus_name(request), context).body[TARGETS]}


@operation("events", "RemoveTargets")
def remove_targets(request: Request, context: Context) -> Response:
    rule = find_rule(request["Rule"], bus_name(request), context)
    known = {target["Id"] for target in rule.body[TARGETS]}

    def remove(resource: Resource) -> None:
        resource.body[TARGETS] = [each for each in resource.body[TARGETS] if each["Id"] not in request["Ids"]]

    context.app.resources.update(rule.arn, remove)
    failed = [
        {"TargetId": each, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Target {each} does not exist"}
        for each in request["Ids"]
        if each not in known
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@operation("events", "ListRuleNamesByTarget")
def list_rule_names_by_target(request: Request, context: Context) -> Response:
    query = Query(RULE, parent=bus_name(request), sort_by="Name", descending=False)
    rules = context.app.resources.walk(context.scope, query)
    wanted = request["TargetArn"]
    found = [rule.body["Name"] for rule in rules if any(each["Arn"] == wanted for each in rule.body[TARGETS])]
    return {"RuleNames": found}


def _tagged(request: Request, context: Context) -> str:
    resource = context.app.resources.by_arn(request["ResourceARN"])
    if resource is None or resource.scope != context.scope:
        kind, _, path = request["ResourceARN"].rpartition(":")[2].partition("/")
        bus, _, name = path.rpartition("/")
        missing = f"Rule {name} does not exist on EventBus {bus or 'default'}." if kind == "rule" else ""
        raise EventsNotFound(missing or f"Event bus {name} does not exist.")
    return resource.arn


serve_tags("events", _tagged)
