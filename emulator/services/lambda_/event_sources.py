"""Event source mappings: which queue's messages go to which function (API Reference, CreateEventSourceMapping)."""

from __future__ import annotations

import uuid
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.events.patterns import PatternError, parse_pattern
from emulator.services.lambda_.errors import FunctionConflict, FunctionNotFound, InvalidParameter
from emulator.services.lambda_.names import find_version, function_arn, parse_name
from emulator.services.lambda_.polling import (
    CONCURRENCY,
    DISABLED,
    ENABLED,
    FILTERS,
    FUNCTION,
    KIND,
    RESPONSE_TYPES,
    SIZE,
    SOURCE,
    WINDOW,
)
from emulator.store.queues import Queue
from emulator.store.resources import Query, Resource, Scope

_DEFAULT_SIZE = 10
_REFUSED = (
    "AmazonManagedKafkaEventSourceConfig", "BisectBatchOnFunctionError", "DestinationConfig", "LoggingConfig",
    "DocumentDBEventSourceConfig", "KMSKeyArn", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "MetricsConfig",
    "ParallelizationFactor", "ProvisionedPollerConfig", "Queues", "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics", "TumblingWindowInSeconds",
)  # fmt: skip
_KEPT = (SIZE, WINDOW, RESPONSE_TYPES, FILTERS, CONCURRENCY)


@operation("lambda", "CreateEventSourceMapping")
def create_event_source_mapping(request: Request, context: Context) -> Response:
    queue = _queue(request, context)
    body = {SOURCE: queue.arn, FUNCTION: _function(request, queue, context), SIZE: _DEFAULT_SIZE, WINDOW: 0}
    _configure(body, request, queue)
    _check_unique(body, request["FunctionName"], context)
    name = str(uuid.uuid4())
    body |= {"UUID": name, "EventSourceMappingArn": _arn(context.scope, name)}
    status = ENABLED if request.get("Enabled", True) else DISABLED
    mapping = Resource(context.scope, KIND, name, _arn(context.scope, name), body, status)
    context.app.resources.insert(mapping)
    tags = request.get("Tags") or {}
    context.app.resources.add_tags(mapping.arn, [{"Key": key, "Value": value} for key, value in tags.items()])
    return _shown(mapping, "Creating")


def _arn(scope: Scope, name: str) -> str:
    resource = f"event-source-mapping:{name}"
    return str(Arn(partition_of(scope.region), "lambda", scope.region, scope.account, resource))


def _queue(request: Request, context: Context) -> Queue:
    arn = request.get(SOURCE) or ""
    for member in _REFUSED:
        if request.get(member):
            raise NotImplementedHere(f"The emulator has event sources of SQS only, without {member}.")
    if arn.split(":")[2:3] != ["sqs"]:
        raise NotImplementedHere(f"The emulator has event sources of SQS only, not {arn or 'without EventSourceArn'}.")
    if request.get("StartingPosition"):
        raise InvalidParameter("StartingPosition is not valid for SQS event sources.")
    queue = context.app.neighbours.queues.by_arn(arn)
    if queue is None:
        raise InvalidParameter(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error"
            " Message: The specified queue does not exist."
        )
    return queue


def _function(request: Request, queue: Queue, context: Context) -> str:
    """The ARN of the function, with its qualifier if one was given."""
    try:
        name, version = find_version(request["FunctionName"], context)
    except FunctionNotFound as error:
        raise InvalidParameter("Function does not exist") from error
    visibility, timeout = queue.seconds("VisibilityTimeout"), version.body["Timeout"]
    if visibility < timeout:
        raise InvalidParameter(
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
        )
    return function_arn(name.scope, name.name, name.qualifier)


def _configure(body: dict[str, Any], request: Request, queue: Queue) -> None:
    body |= {member: request[member] for member in _KEPT if request.get(member) is not None}
    if queue.fifo and (body[SIZE] > 10 or body[WINDOW]):
        raise InvalidParameter("Batch size must be 10 or less, without a batching window, for FIFO queues.")
    if body[SIZE] > 10 and not body[WINDOW]:
        raise InvalidParameter(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    for each in (body.get(FILTERS) or {}).get("Filters") or []:
        try:
            parse_pattern(each.get("Pattern") or "")
        except PatternError as error:
            raise InvalidParameter("Invalid filter pattern definition.") from error


def _check_unique(body: dict[str, Any], function: str, context: Context) -> None:
    query = Query(KIND, members={SOURCE: body[SOURCE], FUNCTION: body[FUNCTION]})
    for other in context.app.resources.page(context.scope, query)[0]:
        raise FunctionConflict(
            f'An event source mapping with SQS arn (" {body[SOURCE]} ") and function (" {function} ") already exists.'
            f" Please update or delete the existing mapping with UUID {other.name}"
        )


def _shown(mapping: Resource, state: str | None = None) -> Response:
    return {
        **mapping.body,
        "State": state or mapping.status,
        "StateTransitionReason": "USER_INITIATED",
        "LastModified": mapping.modified,
    }


def _find(request: Request, context: Context) -> Resource:
    mapping = context.app.resources.get(context.scope, KIND, request["UUID"])
    if mapping is None:
        raise FunctionNotFound("The resource you requested does not exist.")
    return mapping


@operation("lambda", "GetEventSourceMapping")
def get_event_source_mapping(request: Request, context: Context) -> Response:
    return _shown(_find(request, context))


@operation("lambda", "ListEventSourceMappings")
def list_event_source_mappings(request: Request, context: Context) -> Response:
    members: dict[str, str | int] = {}
    if request.get(SOURCE):
        members[SOURCE] = request[SOURCE]
    if request.get("FunctionName"):
        name = parse_name(request["FunctionName"], context)
        members[FUNCTION] = function_arn(name.scope, name.name, name.qualifier)
    query = Query(
        KIND,
        members=members,
        descending=False,
        max_results=request.get("MaxItems", 100),
        next_token=request.get("Marker"),
    )
    mappings, token = context.app.resources.page(context.scope, query)
    return {"EventSourceMappings": [_shown(mapping) for mapping in mappings], "NextMarker": token}


@operation("lambda", "UpdateEventSourceMapping")
def update_event_source_mapping(request: Request, context: Context) -> Response:
    mapping = _find(request, context)
    queue = _queue({**request, SOURCE: mapping.body[SOURCE]}, context)
    changed = dict(mapping.body)
    if request.get("FunctionName"):
        changed[FUNCTION] = _function(request, queue, context)
    _configure(changed, request, queue)

    def change(resource: Resource) -> None:
        resource.body = changed
        if request.get("Enabled") is not None:
            resource.status = ENABLED if request["Enabled"] else DISABLED

    updated = context.app.resources.update(mapping.arn, change)
    return _shown(updated or mapping, "Updating")


@operation("lambda", "DeleteEventSourceMapping")
def delete_event_source_mapping(request: Request, context: Context) -> Response:
    mapping = _find(request, context)
    context.app.resources.delete(mapping.arn)
    return _shown(mapping, "Deleting")
