"""A message as functions get it (Lambda Developer Guide, "Example Amazon SQS event")."""

from __future__ import annotations

from typing import Any

from emulator.services.sqs import digests
from emulator.services.sqs.receiving import system_attributes
from emulator.store.messages import Message
from emulator.store.queues import Queue


def record_of(message: Message, queue: Queue) -> dict[str, Any]:
    """One of the event's ``Records``."""
    return {
        "messageId": message.message_id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": {name: _attribute(value) for name, value in message.attributes.items()},
        "md5OfBody": digests.of_text(message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": queue.scope.region,
    }


def _attribute(stored: dict[str, str]) -> dict[str, Any]:
    """Binary values are Base64 text, as they are stored."""
    member = digests.BINARY if digests.BINARY in stored else digests.STRING
    name = member[0].lower() + member[1:]
    return {name: stored[member], "stringListValues": [], "binaryListValues": [], "dataType": stored["DataType"]}
