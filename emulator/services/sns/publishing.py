"""Publishing: a message goes to every subscription whose filter it passes (API Reference, Publish)."""

from __future__ import annotations

import base64
import json
import logging
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from emulator.aws.arns import Arn
from emulator.aws.documents import read_json
from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.events.patterns import matches
from emulator.services.sns.errors import InvalidParameter
from emulator.services.sns.subscriptions import filter_of
from emulator.services.sns.topics import find_topic, is_pending, subscriptions_of
from emulator.store.resources import Resource, Scope

MAX_BYTES = 262_144
MAX_ENTRIES = 10
_SUBJECT = re.compile(r"[!-~][ -~]{0,99}")
_TYPE = re.compile(r"(String|Number|Binary)(\..*)?")

_log = logging.getLogger(__name__)


@operation("sns", "Publish")
def publish(request: Request, context: Context) -> Response:
    if not request.get("TopicArn") and not request.get("TargetArn"):
        raise NotImplementedHere("The emulator publishes to topics only, not to phone numbers.")
    topic = find_topic(request.get("TopicArn") or request["TargetArn"], context)
    message_id = _publish(topic, request, context)
    context.app.neighbours.functions.wake()
    return {"MessageId": message_id}


@operation("sns", "PublishBatch")
def publish_batch(request: Request, context: Context) -> Response:
    topic = find_topic(request["TopicArn"], context)
    entries = request["PublishBatchRequestEntries"]
    if not entries:
        raise InvalidParameter("The batch request doesn't contain any entries.", code="EmptyBatchRequest")
    if len(entries) > MAX_ENTRIES:
        raise InvalidParameter("The batch request contains more entries than permissible.",
                               code="TooManyEntriesInBatchRequest")  # fmt: skip
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise InvalidParameter("Two or more batch entries in the request have the same Id",
                               code="BatchEntryIdsNotDistinct")  # fmt: skip
    done, failed = [], []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], "MessageId": _publish(topic, entry, context)})
        except InvalidParameter as error:
            failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
    context.app.neighbours.functions.wake()
    return {"Successful": done, "Failed": failed}


def _publish(topic: Resource, request: dict[str, Any], context: Context) -> str:
    texts = _texts(request)
    if request.get("Subject") is not None and not _SUBJECT.fullmatch(request["Subject"]):
        raise InvalidParameter("Invalid parameter: Subject")
    attributes = {name: _attribute(name, value) for name, value in (request.get("MessageAttributes") or {}).items()}
    message = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": topic.arn,
        **({"Subject": request["Subject"]} if request.get("Subject") else {}),
        "Message": texts["default"],
        "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    with context.app.resources.database.transaction():
        for subscription in subscriptions_of(topic, context):
            text = texts.get(subscription.body["Protocol"], texts["default"])
            if not is_pending(subscription) and _passes(subscription, attributes, text):
                _deliver(subscription, {**message, "Message": text}, attributes, context)
    return str(message["MessageId"])


def _texts(request: dict[str, Any]) -> dict[str, str]:
    """The message for each protocol; ``default`` is always there."""
    text = request.get("Message") or ""
    if not text:
        raise InvalidParameter("Invalid parameter: Empty message")
    if len(text.encode()) > MAX_BYTES:
        raise InvalidParameter("Invalid parameter: Message too long")
    if request.get("MessageStructure") != "json":
        return {"default": text}
    try:
        texts = read_json(text)
    except ValueError as error:
        raise InvalidParameter("Invalid parameter: Message Structure - JSON message body failed to parse") from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        raise InvalidParameter("Invalid parameter: Message Structure - No default entry in JSON message body")
    return {name: value for name, value in texts.items() if isinstance(value, str)}


def _attribute(name: str, value: dict[str, Any]) -> dict[str, str]:
    """As subscribers see it; bytes as Base64.

    Raises:
        InvalidParameter: its type is none, or its value not of the type.
    """
    kind = value.get("DataType", "")
    match = _TYPE.fullmatch(kind)
    if match is None:
        raise _refused(f"The message attribute '{name}' has an invalid message attribute type, the set of supported"
                       " type prefixes is Binary, Number, and String.")  # fmt: skip
    content = value.get("BinaryValue" if match[1] == "Binary" else "StringValue")
    if not content:
        raise _refused(f"The message attribute '{name}' must contain non-empty message attribute value for message"
                       f" attribute type '{kind}'.")  # fmt: skip
    if match[1] == "Number":
        _check_number(name, content)
    return {"Type": kind, "Value": base64.b64encode(content).decode() if match[1] == "Binary" else content}


def _check_number(name: str, text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise _refused(f"Could not cast message attribute '{name}' value to number.") from None


def _refused(message: str) -> InvalidParameter:
    return InvalidParameter(message, code="ParameterValueInvalid")


def _passes(subscription: Resource, attributes: dict[str, dict[str, str]], text: str) -> bool:
    policy = filter_of(subscription)
    if policy is None:
        return True
    if policy[1] == "MessageBody":
        try:
            return matches(policy[0], read_json(text))
        except ValueError:
            return False
    return matches(policy[0], {name: _filtered(value) for name, value in attributes.items()})


def _filtered(attribute: dict[str, str]) -> Any:
    try:
        if attribute["Type"] == "String.Array":
            return read_json(attribute["Value"])
        return float(attribute["Value"]) if attribute["Type"] == "Number" else attribute["Value"]
    except ValueError:
        return attribute["Value"]


def _deliver(
    subscription: Resource, message: dict[str, str], attributes: dict[str, dict[str, str]], context: Context
) -> None:
    """What the subscriber does not take is given up, as SNS does after its retries."""
    carry = {"sqs": _to_queue, "lambda": _to_function}[subscription.body["Protocol"]]
    try:
        carry(subscription, message, attributes, context)
    except AwsError as error:
        _log.warning("%s takes no message: %s", subscription.body["Endpoint"], error.message)


def _to_queue(
    subscription: Resource, message: dict[str, str], attributes: dict[str, dict[str, str]], context: Context
) -> None:
    arn = Arn.parse(subscription.body["Endpoint"])
    request: dict[str, Any] = {"QueueUrl": arn.resource}
    if subscription.body["Attributes"].get("RawMessageDelivery") == "true":
        request |= {"MessageBody": message["Message"], "MessageAttributes": _raw(attributes)}
    else:
        envelope: dict[str, Any] = {**message, **_signature(subscription, context)}
        if attributes:
            envelope["MessageAttributes"] = attributes
        request["MessageBody"] = json.dumps(envelope)
    context.app.invoke(Scope(arn.account, arn.region), "sqs", "SendMessage", request)


def _raw(attributes: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {
        name: {
            "DataType": value["Type"],
            "BinaryValue" if value["Type"].startswith("Binary") else "StringValue": value["Value"],
        }
        for name, value in attributes.items()
    }


def _signature(subscription: Resource, context: Context) -> dict[str, str]:
    """Only AWS can sign a message; there is a link to unsubscribe all the same, which readers expect."""
    region = subscription.scope.region
    link = f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
    return {"SignatureVersion": "1", "Signature": "", "SigningCertURL": "", "UnsubscribeURL": link}


def _to_function(
    subscription: Resource, message: dict[str, str], attributes: dict[str, dict[str, str]], context: Context
) -> None:
    endpoint = subscription.body["Endpoint"]
    arn = Arn.parse(endpoint)
    scope = Scope(arn.account, arn.region)
    context.app.invoke(scope, "lambda", "GetFunctionConfiguration", {"FunctionName": endpoint})
    sns = {"Subject": None, **message, **_signature(subscription, context), "MessageAttributes": attributes}
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription.arn, "Sns": sns}
    context.app.neighbours.functions.accept(scope, endpoint, json.dumps({"Records": [record]}), str(uuid.uuid4()))
