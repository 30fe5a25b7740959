"""Event buses; every account and region has ``default``."""

from __future__ import annotations

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.events.errors import EventsExists, EventsNotFound
from emulator.store.resources import Query, Resource, Scope

BUS, RULE = "events-bus", "events-rule"
"""Kinds of resources; a rule's parent is its bus."""
DEFAULT = "default"


def bus_arn(scope: Scope, name: str) -> str:
    return str(Arn(partition_of(scope.region), "events", scope.region, scope.account, f"event-bus/{name}"))


def bus_name(request: Request, member: str = "EventBusName") -> str:
    """The bus a request is about, which it names or gives by ARN."""
    return str(request.get(member) or DEFAULT).rpartition("event-bus/")[2]


def check_bus(name: str, context: Context) -> None:
    """
    Raises:
        EventsNotFound: there is no such bus.
    """
    if name != DEFAULT and context.app.resources.get(context.scope, BUS, name) is None:
        raise EventsNotFound(f"Event bus {name} does not exist.")


@operation("events", "CreateEventBus")
def create_event_bus(request: Request, context: Context) -> Response:
    name = request["Name"]
    if name == DEFAULT or "/" in name:
        raise ValidationException(f"Event bus name {name} is not valid for a custom event bus.")
    arn = bus_arn(context.scope, name)
    body = {"Description": request.get("Description")}
    if not context.app.resources.insert(Resource(context.scope, BUS, name, arn, body)):
        raise EventsExists(f"Event bus {name} already exists.")
    context.app.resources.add_tags(arn, request.get("Tags") or [])
    return {"EventBusArn": arn, "Description": request.get("Description")}


@operation("events", "DescribeEventBus")
def describe_event_bus(request: Request, context: Context) -> Response:
    name = bus_name(request, "Name")
    check_bus(name, context)
    bus = context.app.resources.get(context.scope, BUS, name)
    return {
        "Name": name,
        "Arn": bus_arn(context.scope, name),
        "Description": bus.body["Description"] if bus else None,
    }


@operation("events", "ListEventBuses")
def list_event_buses(request: Request, context: Context) -> Response:
    buses = context.app.resources.walk(context.scope, Query(BUS, sort_by="Name", descending=False))
    names = [DEFAULT, *(bus.name for bus in buses)]
    shown = [name for name in names if name.startswith(request.get("NamePrefix") or "")]
    return {"EventBuses": [{"Name": name, "Arn": bus_arn(context.scope, name)} for name in shown]}


@operation("events", "DeleteEventBus")
def delete_event_bus(request: Request, context: Context) -> Response:
    name = bus_name(request, "Name")
    if name == DEFAULT:
        raise ValidationException("Cannot delete event bus default.")
    with context.app.resources.database.transaction():
        if any(context.app.resources.walk(context.scope, Query(RULE, parent=name))):
            raise ValidationException("EventBus can't be deleted since it has rules.")
        context.app.resources.delete(bus_arn(context.scope, name))
    return {}
