"""Events on their way: to a bus, past its rules, into the deliveries to their targets (API Reference, PutEvents)."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from emulator.aws.documents import read_json
from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.events.buses import BUS, DEFAULT, RULE, bus_name
from emulator.services.events.errors import InvalidEventPattern
from emulator.services.events.inputs import at_path, input_of
from emulator.services.events.patterns import PatternError, matches, parse_pattern
from emulator.services.events.rules import PATTERN, TARGETS
from emulator.store.resources import Query, Resource, Resources, Scope

if TYPE_CHECKING:
    from emulator.services.delivery import Deliveries

MAX_ENTRIES_BYTES = 1_048_576


@operation("events", "PutEvents")
def put_events(request: Request, context: Context) -> Response:
    if sum(len(str(entry.get("Detail") or "")) for entry in request["Entries"]) > MAX_ENTRIES_BYTES:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    with context.app.resources.database.transaction():
        answers = [_put(entry, context) for entry in request["Entries"]]
    context.app.neighbours.courier.wake()
    return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}


def _put(entry: dict[str, Any], context: Context) -> dict[str, str]:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            message = f"Parameter {member} is not valid. Reason: {member} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    if entry["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = read_json(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    moment = entry.get("Time")
    event = new_event(
        context.scope,
        entry["Source"],
        entry["DetailType"],
        detail,
        resources=entry.get("Resources") or [],
        moment=moment.timestamp() if moment else time.time(),
    )
    bus = bus_name(entry)
    if bus == DEFAULT or context.app.resources.get(context.scope, BUS, bus):  # else it vanishes, as on AWS
        route(event, bus, context.scope, context.app.resources, context.app.neighbours.courier.deliveries)
    return {"EventId": event["id"]}


def new_event(
    scope: Scope, source: str, kind: str, detail: dict[str, Any], *, resources: list[str], moment: float
) -> dict[str, Any]:
    """The envelope of every event (EventBridge User Guide, "Event structure")."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": scope.account,
        "time": iso_time(moment),
        "region": scope.region,
        "resources": resources,
        "detail": detail,
    }


def iso_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def route(event: dict[str, Any], bus: str, scope: Scope, resources: Resources, deliveries: Deliveries) -> None:
    """Store a delivery for every target of every rule that matches; call it in a transaction."""
    query = Query(RULE, parent=bus, status="ENABLED", sort_by="Name", descending=False)
    for rule in resources.walk(scope, query):
        pattern = rule.body[PATTERN]
        if pattern and matches(json.loads(pattern), event):
            fire(rule, event, deliveries)


def fire(rule: Resource, event: dict[str, Any], deliveries: Deliveries) -> None:
    """Store a delivery of an event for every target of a rule."""
    for target in rule.body[TARGETS]:
        text = input_of(target, event, rule.arn)
        deliveries.add(rule.scope, _resolved(target, event), text, {"RULE_ARN": rule.arn})


def _resolved(target: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Values of pipeline parameters may be JSON paths into the event."""
    parameters = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList")
    if not parameters:
        return target
    resolved = [{"Name": each["Name"], "Value": _value(each["Value"], event)} for each in parameters]
    return {**target, "SageMakerPipelineParameters": {"PipelineParameterList": resolved}}


def _value(text: str, event: dict[str, Any]) -> str:
    if not text.startswith("$."):
        return text
    value = at_path(text, event)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


@operation("events", "TestEventPattern")
def test_event_pattern(request: Request, context: Context) -> Response:
    try:
        pattern = parse_pattern(request["EventPattern"])
    except PatternError as error:
        raise InvalidEventPattern(f"Event pattern is not valid. Reason: {error}") from error
    try:
        event = read_json(request["Event"])
    except ValueError as error:
        raise ValidationException(f"Parameter Event is not valid. Reason: {error}.") from error
    missing = [each for each in ("id", "account", "source", "time", "region", "detail-type")
               if not isinstance(event, dict) or each not in event]  # fmt: skip
    if missing:
        raise ValidationException(f"Parameter Event is not valid. Reason: it has no {missing[0]}.")
    return {"Result": matches(pattern, event)}
