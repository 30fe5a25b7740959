"""Receiving messages, at once or by waiting for them (API Reference, ReceiveMessage).

A long poll waits on the event loop, not in a thread: a hundred consumers that wait cost nothing.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.sqs import digests
from emulator.services.sqs.addresses import find_queue
from emulator.services.sqs.errors import SqsError, invalid_value
from emulator.store.messages import Message
from emulator.store.queues import Queue

_LOOK_AGAIN_SECONDS = 1.0
"""A message sent within a larger transaction is announced before it can be seen; a second look finds it."""
_SYSTEM = (
    "AWSTraceHeader",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
)


@operation("sqs", "ReceiveMessage", checked=False)
def receive_message(request: Request, context: Context) -> Response | Awaitable[Response]:
    """Unchecked: by the model AttributeNames are those of queues, but AWS means those of messages."""
    queue = find_queue(request.get("QueueUrl", ""), context)
    _check(request)
    wait = request.get("WaitTimeSeconds", queue.seconds("ReceiveMessageWaitTimeSeconds"))
    answer = _receive(queue, request, context)
    return answer if answer or not wait else _wait(queue, request, context, wait)


async def _wait(queue: Queue, request: Request, context: Context, seconds: float) -> Response:
    """Look whenever a message may have become visible, until there is one or the time is over."""
    deadline = time.time() + seconds
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(woken.set)

    context.app.neighbours.queues.wait(queue, wake)
    try:
        while True:
            woken.clear()
            answer = _receive(queue, request, context)
            now = time.time()
            if answer or now >= deadline:
                return answer
            due = context.app.neighbours.messages.next_due(queue) or deadline
            pause = max(0.001, min(deadline - now, due - now, _LOOK_AGAIN_SECONDS))
            try:
                await asyncio.wait_for(woken.wait(), pause)
            except TimeoutError:
                continue
    finally:
        context.app.neighbours.queues.unwait(queue, wake)


def _receive(queue: Queue, request: Request, context: Context) -> Response:
    visibility = request.get("VisibilityTimeout", queue.seconds("VisibilityTimeout"))
    messages = context.app.neighbours.messages.receive(queue, request.get("MaxNumberOfMessages", 1), visibility)
    return {"Messages": [_shown(message, request) for message in messages]} if messages else {}


def _check(request: Request) -> None:
    for member, low, high in (
        ("MaxNumberOfMessages", 1, 10),
        ("WaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43200),
    ):
        value = request.get(member)
        if value is not None and not low <= value <= high:
            reason = f"Reason: Must be between {low} and {high}, if provided."
            raise invalid_value(f"Value {value} for parameter {member} is invalid. {reason}")
    for name in _system_names(request):
        if name != "All" and name not in _SYSTEM:
            raise SqsError("InvalidAttributeName", f"Unknown Attribute {name}.", "InvalidAttributeName")


def _system_names(request: Request) -> list[str]:
    return [*(request.get("AttributeNames") or []), *(request.get("MessageSystemAttributeNames") or [])]


def system_attributes(message: Message) -> dict[str, str]:
    return message.system | {
        "SentTimestamp": str(int(message.sent * 1000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1000)),
    }


def _shown(message: Message, request: Request) -> dict[str, Any]:
    system = system_attributes(message)
    names = _system_names(request)
    shown = system if "All" in names else {name: system[name] for name in names if name in system}
    attributes = _selected(message.attributes, request.get("MessageAttributeNames") or [])
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": digests.of_text(message.body),
        "Attributes": shown or None,
        "MessageAttributes": {name: _wire(value) for name, value in attributes.items()} or None,
        "MD5OfMessageAttributes": digests.of_attributes(attributes),
    }


def _selected(attributes: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Those named, those under a prefix (``bar.*``), or all (``All``, ``.*``)."""
    if "All" in names or ".*" in names:
        return attributes
    prefixes = tuple(name.removesuffix("*") for name in names if name.endswith(".*"))
    return {key: value for key, value in attributes.items() if key in names or (prefixes and key.startswith(prefixes))}


def _wire(attribute: dict[str, str]) -> dict[str, Any]:
    if digests.BINARY not in attribute:
        return attribute
    return {**attribute, digests.BINARY: base64.b64decode(attribute[digests.BINARY])}
