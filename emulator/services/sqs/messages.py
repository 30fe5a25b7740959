"""Sending and acknowledging messages (API Reference, SendMessage, DeleteMessage, ChangeMessageVisibility)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.sqs import digests
from emulator.services.sqs.addresses import find_queue
from emulator.services.sqs.drafts import draft_of, size_of
from emulator.services.sqs.errors import SqsError, bad_receipt, invalid_value
from emulator.store.messages import BadReceipt, Draft, NotInFlight
from emulator.store.queues import Queue

_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


@operation("sqs", "SendMessage")
def send_message(request: Request, context: Context) -> Response:
    queue = find_queue(request["QueueUrl"], context)
    return _send(queue, draft_of(request, queue, _sender(context)), context)


def _send(queue: Queue, draft: Draft, context: Context) -> Response:
    message_id, sequence = context.app.neighbours.messages.send(queue, draft)
    return {
        "MessageId": message_id,
        "MD5OfMessageBody": digests.of_text(draft.body),
        "MD5OfMessageAttributes": digests.of_attributes(draft.attributes),
        "SequenceNumber": sequence or None,
    }


def _sender(context: Context) -> str:
    return context.access_key_id or context.account


@operation("sqs", "SendMessageBatch")
def send_message_batch(request: Request, context: Context) -> Response:
    queue = find_queue(request["QueueUrl"], context)
    entries = _entries(request, "SendMessage")
    sizes = sum(size_of(entry["MessageBody"], {}) for entry in entries)
    if sizes > 1048576:
        message = f"Batch requests cannot be longer than 1048576 bytes. You have sent {sizes} bytes."
        raise SqsError("BatchRequestTooLong", message)

    def send(entry: dict[str, Any]) -> Response:
        return _send(queue, draft_of(entry, queue, _sender(context)), context)

    return _each(entries, send)


@operation("sqs", "DeleteMessage")
def delete_message(request: Request, context: Context) -> Response:
    _delete(find_queue(request["QueueUrl"], context), request, context)
    return {}


def _delete(queue: Queue, request: dict[str, Any], context: Context) -> Response:
    receipt = request["ReceiptHandle"]
    try:
        context.app.neighbours.messages.delete(queue, receipt)
    except BadReceipt:
        raise bad_receipt(receipt) from None
    except NotInFlight:
        reason = "Reason: The receipt handle has expired."
        raise invalid_value(f"Value {receipt} for parameter ReceiptHandle is invalid. {reason}") from None
    return {}


@operation("sqs", "DeleteMessageBatch")
def delete_message_batch(request: Request, context: Context) -> Response:
    queue = find_queue(request["QueueUrl"], context)
    return _each(_entries(request, "DeleteMessage"), lambda entry: _delete(queue, entry, context))


@operation("sqs", "ChangeMessageVisibility")
def change_message_visibility(request: Request, context: Context) -> Response:
    return _change(find_queue(request["QueueUrl"], context), request, context)


def _change(queue: Queue, request: dict[str, Any], context: Context) -> Response:
    receipt, seconds = request["ReceiptHandle"], request.get("VisibilityTimeout", 0)
    if not 0 <= seconds <= 43200:
        reason = "Reason: Must be between 0 and 43200, if provided."
        raise invalid_value(f"Value {seconds} for parameter VisibilityTimeout is invalid. {reason}")
    try:
        context.app.neighbours.messages.change_visibility(queue, receipt, seconds)
    except BadReceipt:
        raise bad_receipt(receipt) from None
    except NotInFlight:
        reason = "Reason: Message does not exist or is not available for visibility timeout change."
        message = f"Value {receipt} for parameter ReceiptHandle is invalid. {reason}"
        raise SqsError("MessageNotInflight", message) from None
    return {}


@operation("sqs", "ChangeMessageVisibilityBatch")
def change_message_visibility_batch(request: Request, context: Context) -> Response:
    queue = find_queue(request["QueueUrl"], context)
    return _each(_entries(request, "ChangeMessageVisibility"), lambda entry: _change(queue, entry, context))


def _entries(request: Request, action: str) -> list[dict[str, Any]]:
    """The entries of a batch: one to ten, each with an id of its own."""
    entries: list[dict[str, Any]] = request["Entries"]
    if not entries:
        message = f"There should be at least one {action}BatchRequestEntry in the request."
        raise SqsError("EmptyBatchRequest", message)
    if len(entries) > 10:
        message = f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        raise SqsError("TooManyEntriesInBatchRequest", message)
    ids = [entry["Id"] for entry in entries]
    for entry_id in ids:
        if not _ENTRY_ID.fullmatch(entry_id):
            message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            raise SqsError("InvalidBatchEntryId", f"{message} It can be at most 80 letters long.")
        if ids.count(entry_id) > 1:
            raise SqsError("BatchEntryIdsNotDistinct", f"Id {entry_id} repeated.")
    return entries


def _each(entries: list[dict[str, Any]], act: Callable[[dict[str, Any]], Response]) -> Response:
    """Every entry by itself: what SQS refuses of one does not touch the others."""
    done: list[Response] = []
    failed: list[Response] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **act(entry)})
        except AwsError as error:
            code = error.legacy if isinstance(error, SqsError) else error.code
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": code, "Message": error.message})
    return {"Successful": done, "Failed": failed or None}
