"""CloudWatch Logs, as much of it as SDKs and the AWS CLI read: groups, streams, events."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from heapq import merge
from itertools import pairwise
from typing import Any

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.log_patterns import compile_pattern
from emulator.store.log_streams import LogEvent, LogGroup, LogStream

MAX_EVENTS = 10_000
MAX_BYTES = 1 << 20
"""GetLogEvents answers up to 1 MiB or 10,000 events (API reference)."""
DAY = 86_400_000
OLDEST, NEWEST = 14 * DAY, DAY // 12
"""Milliseconds: events may be of the last 14 days and of the next two hours (API Reference, PutLogEvents)."""


class InvalidParameter(AwsError):
    code = "InvalidParameterException"


@operation("logs", "CreateLogGroup")
def create_log_group(request: Request, context: Context) -> Response:
    context.app.logs.create_group(context.scope, request["logGroupName"])
    return {}


@operation("logs", "CreateLogStream")
def create_log_stream(request: Request, context: Context) -> Response:
    context.app.logs.create_stream(context.scope, request["logGroupName"], request["logStreamName"])
    return {}


@operation("logs", "DeleteLogGroup", blocking=True)
def delete_log_group(request: Request, context: Context) -> Response:
    context.app.logs.delete_group(context.scope, request["logGroupName"])
    return {}


@operation("logs", "DeleteLogStream", blocking=True)
def delete_log_stream(request: Request, context: Context) -> Response:
    context.app.logs.delete_stream(context.scope, request["logGroupName"], request["logStreamName"])
    return {}


@operation("logs", "PutLogEvents", blocking=True)
def put_log_events(request: Request, context: Context) -> Response:
    """Events are in order, so those that are too old come first and those that are too new last."""
    events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
    if any(later[0] < earlier[0] for earlier, later in pairwise(events)):
        raise InvalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
    if events and events[-1][0] - events[0][0] > DAY:
        raise InvalidParameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    now = time.time() * 1000
    old = sum(timestamp < now - OLDEST for timestamp, _ in events)
    new = sum(timestamp <= now + NEWEST for timestamp, _ in events)
    context.app.logs.put(context.scope, request["logGroupName"], request["logStreamName"], events[old:new])
    rejected: dict[str, int] = {"tooOldLogEventEndIndex": old} if old else {}
    rejected |= {"tooNewLogEventStartIndex": new} if new < len(events) else {}
    return {"nextSequenceToken": "0" * 56, "rejectedLogEventsInfo": rejected or None}


@operation("logs", "DescribeLogGroups")
def describe_log_groups(request: Request, context: Context) -> Response:
    after = _decode(request.get("nextToken"), str, "")
    limit = request.get("limit", 50)
    pattern = request.get("logGroupNamePattern", "")
    if pattern and "logGroupNamePrefix" in request:
        raise InvalidParameter("logGroupNamePrefix and logGroupNamePattern cannot be used together")
    groups = [
        group
        for group in context.app.logs.groups(context.scope, request.get("logGroupNamePrefix", ""))
        if group.name > after and pattern.lower() in group.name.lower()
    ]
    token = _encode(groups[limit - 1].name) if len(groups) > limit else None
    return {"logGroups": [_group(group) for group in groups[:limit]], "nextToken": token}


def _group(group: LogGroup) -> dict[str, Any]:
    return {
        "logGroupName": group.name,
        "creationTime": int(group.created * 1000),
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "logGroupArn": group.arn,
    }


@operation("logs", "DescribeLogStreams", blocking=True)
def describe_log_streams(request: Request, context: Context) -> Response:
    group, prefix = _group_name(request), request.get("logStreamNamePrefix", "")
    limit, descending = request.get("limit", 50), request.get("descending", False)
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
    if not by_time and not descending:
        after = _decode(request.get("nextToken"), str, "")
        page = context.app.logs.streams(context.scope, group, prefix, after, limit + 1)
        token = _encode(page[limit - 1].name) if len(page) > limit else None
        return {"logStreams": [_stream(stream, context) for stream in page[:limit]], "nextToken": token}
    skip = _decode(request.get("nextToken"), int, 0)
    streams = [_stream(stream, context) for stream in context.app.logs.streams(context.scope, group, prefix)]
    streams.sort(key=lambda s: s.get("lastEventTimestamp") or 0 if by_time else s["logStreamName"], reverse=descending)
    token = _encode(skip + limit) if len(streams) > skip + limit else None
    return {"logStreams": streams[skip : skip + limit], "nextToken": token}


def _stream(stream: LogStream, context: Context) -> dict[str, Any]:
    reader = context.app.logs.reader(stream)
    return {
        "logStreamName": stream.name,
        "creationTime": int(stream.created * 1000),
        "firstEventTimestamp": reader.first_timestamp(),
        "lastEventTimestamp": reader.last_timestamp(),
        "lastIngestionTime": reader.last_timestamp(),
        "uploadSequenceToken": "0" * 56,
        "arn": stream.arn,
        "storedBytes": 0,
    }


@operation("logs", "GetLogEvents", blocking=True)
def get_log_events(request: Request, context: Context) -> Response:
    """A page of one stream. At its end, the token that was sent comes back (API reference, "nextForwardToken")."""
    logs = context.app.logs
    stream = logs.stream(context.scope, _group_name(request), request["logStreamName"])
    limit = request.get("limit", MAX_EVENTS)
    direction, position = _parse_token(request.get("nextToken"), request.get("startFromHead", False))
    if direction == "f":
        events = _take(_between(logs.events(stream, position or 0), request), limit)
    else:
        events = _take(_between(logs.events_backward(stream, position), request), limit)[::-1]
    start, end = (events[0].position, events[-1].end) if events else (position or 0, position or 0)
    return {
        "events": [_event(event) for event in events],
        "nextForwardToken": f"f/{end:056d}/s",
        "nextBackwardToken": f"b/{start:056d}/s",
    }


def _between(events: Iterator[LogEvent], request: Request) -> Iterator[LogEvent]:
    start, end = request.get("startTime"), request.get("endTime")
    for event in events:
        if (start is None or event.timestamp >= start) and (end is None or event.timestamp < end):
            yield event


def _take(events: Iterator[LogEvent], limit: int) -> list[LogEvent]:
    """As many events as one answer may have."""
    taken: list[LogEvent] = []
    size = 0
    for event in events:
        size += len(event.message) + 26
        if len(taken) >= limit or (taken and size > MAX_BYTES):
            break
        taken.append(event)
    return taken


def _event(event: LogEvent) -> dict[str, Any]:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


@operation("logs", "FilterLogEvents", blocking=True)
def filter_log_events(request: Request, context: Context) -> Response:
    """Matching events of a group's streams, in order of time."""
    matches = compile_pattern(request.get("filterPattern", ""))
    positions: dict[str, int] = _decode(request.get("nextToken"), dict, {})
    limit = request.get("limit", MAX_EVENTS)
    streams = _searched(request, context)
    merged = merge(
        *(_numbered(stream, positions.get(str(stream.id), 0), request, context) for stream in streams),
        key=lambda pair: pair[1].timestamp,
    )
    found: list[dict[str, Any]] = []
    size, more = 0, False
    for stream, event in merged:
        if matches(event.message):
            size += len(event.message) + 26
            if len(found) >= limit or (found and size > MAX_BYTES):
                more = True
                break
            event_id = f"{stream.id:028d}{event.position:028d}"
            found.append({"logStreamName": stream.name, "eventId": event_id, **_event(event)})
        positions[str(stream.id)] = event.end
    return {"events": found, "searchedLogStreams": [], "nextToken": _encode(positions) if more else None}


def _searched(request: Request, context: Context) -> list[LogStream]:
    logs, group = context.app.logs, _group_name(request)
    names = request.get("logStreamNames")
    if names and request.get("logStreamNamePrefix"):
        raise InvalidParameter("logStreamNames and logStreamNamePrefix cannot be used together")
    if names:
        return [logs.stream(context.scope, group, name) for name in names]
    return logs.streams(context.scope, group, request.get("logStreamNamePrefix", ""))


def _numbered(
    stream: LogStream, position: int, request: Request, context: Context
) -> Iterator[tuple[LogStream, LogEvent]]:
    return ((stream, event) for event in _between(context.app.logs.events(stream, position), request))


def _group_name(request: Request) -> str:
    """The group, named by logGroupName or by an identifier that may be an ARN."""
    name = request.get("logGroupName") or request.get("logGroupIdentifier", "")
    if not name:
        raise InvalidParameter("logGroupName or logGroupIdentifier must be given")
    return str(name).split(":log-group:")[-1].removesuffix(":*")


def _parse_token(token: str | None, from_head: bool) -> tuple[str, int | None]:
    if token is None:
        return ("f" if from_head else "b"), None
    direction, _, rest = token.partition("/")
    if direction not in ("f", "b") or not rest.removesuffix("/s").isdecimal():
        raise InvalidParameter("The specified nextToken is invalid.")
    return direction, int(rest.removesuffix("/s"))


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _decode(token: str | None, kind: type[Any], default: Any) -> Any:
    if token is None:
        return default
    try:
        value = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise InvalidParameter("The specified nextToken is invalid.") from error
    if not isinstance(value, kind):
        raise InvalidParameter("The specified nextToken is invalid.")
    return value
