"""A message as it comes in a request, checked (API Reference, SendMessage)."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from emulator.services.sqs.digests import BINARY, STRING
from emulator.services.sqs.errors import SqsError, invalid_value, missing
from emulator.store.messages import Draft
from emulator.store.queues import Queue

_UNSENDABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPE = re.compile(r"(String|Number|Binary)(\..*)?")
_ATTRIBUTE_NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_RESERVED = ("aws.", "amazon.")
_GROUP = re.compile(r"[!-~]{1,128}")
_TRACE = "AWSTraceHeader"


def draft_of(request: dict[str, Any], queue: Queue, sender: str) -> Draft:
    """The message of a SendMessage request, or of an entry of a batch.

    Raises:
        SqsError: SQS would not take it.
    """
    body = request["MessageBody"]
    given = request.get("MessageAttributes") or {}
    for name in given:
        _check_name(name)
    attributes = {name: _stored(name, value) for name, value in given.items()}
    _check_contents(body, attributes, queue)
    system = {"SenderId": sender}
    trace = (request.get("MessageSystemAttributes") or {}).get(_TRACE)
    if trace is not None:
        system[_TRACE] = _stored(_TRACE, {**trace, "DataType": "String"})[STRING]
    delay = request.get("DelaySeconds")
    if delay is not None and not 0 <= delay <= 900:
        raise invalid_value(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )
    group, deduplication = _ordering(request, queue)
    if queue.fifo:
        if delay:
            raise invalid_value(
                f"Value {delay} for parameter DelaySeconds is invalid. Reason: The request include parameter that is"
                " not valid for this queue type."
            )
        system |= {"MessageDeduplicationId": deduplication}
    if group:
        system |= {"MessageGroupId": group}
    return Draft(body, attributes, system, None if queue.fifo else delay, group if queue.fifo else "", deduplication)


def _check_contents(body: str, attributes: dict[str, Any], queue: Queue) -> None:
    if not body:
        raise missing("MessageBody")
    if _UNSENDABLE.search(body):
        raise SqsError(
            "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to"
            " #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.", "InvalidMessageContents",
        )  # fmt: skip
    if len(attributes) > 10:
        raise invalid_value(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    limit = queue.seconds("MaximumMessageSize")
    if size_of(body, attributes) > limit:
        raise invalid_value(f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.")


def size_of(body: str, attributes: dict[str, Any]) -> int:
    size = len(body.encode())
    for name, value in attributes.items():
        content = len(base64.b64decode(value[BINARY])) if BINARY in value else len(value[STRING].encode())
        size += len(name.encode()) + len(value["DataType"]) + content
    return size


def _check_name(name: str) -> None:
    """SQS Developer Guide, "Message attribute components"."""
    if not _ATTRIBUTE_NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
        raise invalid_value(
            f"The message (user) attribute name '{name}' is invalid. It can contain A-Z, a-z, 0-9, underscore, hyphen"
            " and period, at most 256; it can't start or end with a period, have periods in succession or start with"
            " AWS. or Amazon."
        )


def _stored(name: str, value: dict[str, Any]) -> dict[str, str]:
    kind = value.get("DataType", "")
    match = _TYPE.fullmatch(kind)
    if not kind:
        raise invalid_value(f"The message attribute '{name}' must contain non-empty message attribute type.")
    if match is None:
        raise invalid_value(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported type"
            " prefixes: Binary, Number, String."
        )
    member = BINARY if match[1] == "Binary" else STRING
    content = value.get(member)
    if not content:
        kind_of_value = "Binary" if member == BINARY else "String"
        raise invalid_value(
            f"The message (user) attribute '{name}' must contain a non-empty value of type '{kind_of_value}'."
        )
    if match[1] == "Number":
        _check_number(name, content)
    text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    return {"DataType": kind, member: text}


def _check_number(name: str, text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise invalid_value(f"Can't cast the value of message (user) attribute '{name}' to a number.") from None


def _ordering(request: dict[str, Any], queue: Queue) -> tuple[str, str]:
    """The group, and the deduplication id: the sender's or, where the queue says so, that of the content."""
    group, deduplication = request.get("MessageGroupId") or "", request.get("MessageDeduplicationId") or ""
    if group and not _GROUP.fullmatch(group):
        raise invalid_value(
            "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length"
        )
    if not queue.fifo:
        if deduplication:
            raise invalid_value(
                f"Value {deduplication} for parameter MessageDeduplicationId is invalid. Reason: The request includes a"
                " parameter that is not valid for this queue type."
            )
        return group, ""
    if not group:
        raise missing("MessageGroupId")
    if not deduplication and queue.attributes.get("ContentBasedDeduplication") == "true":
        deduplication = hashlib.sha256(request["MessageBody"].encode()).hexdigest()
    if not deduplication:
        raise invalid_value(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
            " explicitly"
        )
    return group, deduplication
