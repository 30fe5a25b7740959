"""Attributes of queues: which may be set, and what they may be (API Reference, CreateQueue and SetQueueAttributes)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from emulator.aws.errors import NotImplementedHere
from emulator.services.sqs.errors import invalid_attribute, invalid_value
from emulator.store.messages import Counts
from emulator.store.queues import DEFAULTS, Queue, Queues

_RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
}
_CHOICES = {
    "FifoQueue": ("true", "false"),
    "ContentBasedDeduplication": ("true", "false"),
    "SqsManagedSseEnabled": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
_FIFO_ONLY = ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
"""A queue is made FIFO, or it never is."""
_DOCUMENTS = ("Policy", "RedriveAllowPolicy")


def checked(attributes: Mapping[str, str], queues: Queues, *, fifo: bool) -> dict[str, str]:
    """The attributes as they are stored; an empty RedrivePolicy or Policy takes it away.

    Raises:
        SqsError: unknown, or not a value it may have.
        NotImplementedHere: encryption with keys of KMS.
    """
    for name, value in attributes.items():
        _check(name, value, queues, fifo=fifo)
    return dict(attributes)


def _check(name: str, value: str, queues: Queues, *, fifo: bool) -> None:
    if name in _RANGES:
        low, high = _RANGES[name]
        if not (value.isascii() and value.isdecimal()) or not low <= int(value) <= high:
            raise invalid_attribute(name, value)
    elif name in _CHOICES:
        if value not in _CHOICES[name] or (name == "FifoQueue" and value == "false"):
            raise invalid_attribute(name, value)
        if name in _FIFO_ONLY and not fifo:
            raise invalid_attribute(name)
    elif name == "RedrivePolicy":
        _check_redrive(value, queues, fifo=fifo)
    elif name == "KmsMasterKeyId":
        if value:
            raise NotImplementedHere(
                "KmsMasterKeyId: the emulator has no KMS, so it cannot encrypt a queue with a key."
            )
    elif name in _DOCUMENTS:
        _check_document(name, value)
    else:
        raise invalid_attribute(name)


def _check_document(name: str, value: str) -> None:
    try:
        if value and not isinstance(json.loads(value), dict):
            raise invalid_attribute(name, value)
    except ValueError:
        raise invalid_attribute(name, value) from None


def _check_redrive(value: str, queues: Queues, *, fifo: bool) -> None:
    if not value:
        return
    place = f"Value {value} for parameter RedrivePolicy is invalid. Reason:"
    try:
        policy = json.loads(value)
        arn, count = policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])
    except (ValueError, TypeError):
        raise invalid_value(f"{place} Redrive policy is not a valid JSON map.") from None
    except KeyError as error:
        raise invalid_value(f"{place} Redrive policy does not contain mandatory attribute: {error.args[0]}.") from None
    if not 1 <= count <= 1000:
        raise invalid_value(f"{place} Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000.")
    target = queues.by_arn(str(arn))
    if target is None:
        raise invalid_value(f"{place} Dead letter target does not exist.")
    if target.fifo != fifo:
        raise invalid_value(f"{place} Dead-letter queue must be same type of queue as the source.")


def described(queue: Queue, counts: Counts, names: list[str]) -> dict[str, str]:
    """The attributes that were asked for, as AWS shows them."""
    shown = DEFAULTS | {"SqsManagedSseEnabled": "true"} | _fifo_defaults(queue)
    shown |= {name: value for name, value in queue.attributes.items() if value != ""}
    if "RedrivePolicy" in shown:
        shown["RedrivePolicy"] = _counted(shown["RedrivePolicy"])
    computed: dict[str, Callable[[], object]] = {
        "ApproximateNumberOfMessages": lambda: counts.visible,
        "ApproximateNumberOfMessagesNotVisible": lambda: counts.in_flight,
        "ApproximateNumberOfMessagesDelayed": lambda: counts.delayed,
        "CreatedTimestamp": lambda: int(queue.created),
        "LastModifiedTimestamp": lambda: int(queue.modified),
        "QueueArn": lambda: queue.arn,
    }
    shown |= {name: str(value()) for name, value in computed.items()}
    if "All" in names:
        return shown
    known = {*shown, *_RANGES, *_CHOICES, *_DOCUMENTS, "RedrivePolicy", "KmsMasterKeyId"}
    for name in names:
        if name not in known:
            raise invalid_attribute(name)
    return {name: shown[name] for name in names if name in shown}


def _counted(redrive: str) -> str:
    """A redrive policy with its count as a number, which may be given as text (API Reference, GetQueueAttributes)."""
    policy = json.loads(redrive)
    return json.dumps(policy | {"maxReceiveCount": int(policy["maxReceiveCount"])}, separators=(",", ":"))


def _fifo_defaults(queue: Queue) -> dict[str, str]:
    if not queue.fifo:
        return {}
    return {"ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
