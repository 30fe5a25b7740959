"""Subscriptions (API Reference, Subscribe and its siblings): queues and functions, confirmed at once as on AWS.

A subscription by mail is pending until somebody answers a mail, which nobody gets from here: it stays so.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from emulator.aws.arns import Arn
from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.events.patterns import PatternError, parse_pattern
from emulator.services.sns.errors import InvalidParameter, SnsNotFound
from emulator.services.sns.topics import BY_MAIL, SUBSCRIPTION, find_topic, is_pending, subscriptions_of
from emulator.store.resources import Query, Resource

_PROTOCOLS = ("sqs", "lambda")
"""Each is called as the service whose ARNs are its endpoints."""
_CHOICES = {"RawMessageDelivery": ("true", "false"), "FilterPolicyScope": ("MessageAttributes", "MessageBody")}


@operation("sns", "Subscribe")
def subscribe(request: Request, context: Context) -> Response:
    topic = find_topic(request["TopicArn"], context)
    protocol, endpoint = request["Protocol"], request.get("Endpoint") or ""
    _check_endpoint(protocol, endpoint)
    attributes = request.get("Attributes") or {}
    for name, value in attributes.items():
        _check_attribute(name, value)
    for existing in subscriptions_of(topic, context):
        if (existing.body["Protocol"], existing.body["Endpoint"]) == (protocol, endpoint):
            if {**existing.body["Attributes"], **attributes} != existing.body["Attributes"]:
                raise InvalidParameter("Invalid parameter: Attributes Reason: Subscription already exists with"
                                       " different attributes")  # fmt: skip
            return _subscribed(existing, request)
    name = str(uuid.uuid4())
    body = {"Protocol": protocol, "Endpoint": endpoint, "TopicArn": topic.arn, "Attributes": attributes}
    made = Resource(topic.scope, SUBSCRIPTION, name, f"{topic.arn}:{name}", body, "", topic.name)
    context.app.resources.insert(made)
    return _subscribed(made, request)


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol in BY_MAIL:
        if "@" not in endpoint:
            raise InvalidParameter("Invalid parameter: Email address")
        return
    if protocol not in _PROTOCOLS:
        raise NotImplementedHere(f"The emulator sends SNS messages to sqs and lambda, not by {protocol}.")
    parts = endpoint.split(":")
    if len(parts) < 6 or parts[2] != protocol:
        raise InvalidParameter(f"Invalid parameter: {protocol.upper()} endpoint ARN")
    if endpoint.endswith(".fifo"):
        raise InvalidParameter("Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be"
                               " subscribed to standard SNS topics")  # fmt: skip


def _subscribed(subscription: Resource, request: Request) -> Response:
    shown = subscription.arn if request.get("ReturnSubscriptionArn") else None
    return {"SubscriptionArn": shown or ("pending confirmation" if is_pending(subscription) else subscription.arn)}


def _check_attribute(name: str, value: str) -> None:
    if name == "FilterPolicy":
        try:
            if value and value != "{}":
                parse_pattern(value)
        except PatternError as error:
            raise InvalidParameter(f"Invalid parameter: FilterPolicy: {error}") from error
    elif name == "RedrivePolicy":
        raise NotImplementedHere("The emulator does not have RedrivePolicy of SNS subscriptions yet.")
    elif name not in _CHOICES:
        raise InvalidParameter("Invalid parameter: AttributeName")
    elif value not in _CHOICES[name]:
        raise InvalidParameter(f"Invalid parameter: {name}: Invalid value [{value}].")


def _find(arn: str, context: Context) -> Resource:
    subscription = context.app.resources.by_arn(arn)
    if subscription is None or subscription.kind != SUBSCRIPTION:
        raise SnsNotFound("Subscription does not exist")
    return subscription


@operation("sns", "Unsubscribe")
def unsubscribe(request: Request, context: Context) -> Response:
    subscription = context.app.resources.by_arn(request["SubscriptionArn"])
    if subscription is not None and subscription.kind == SUBSCRIPTION:
        context.app.resources.delete(subscription.arn)
    return {}


@operation("sns", "GetSubscriptionAttributes")
def get_subscription_attributes(request: Request, context: Context) -> Response:
    subscription = _find(request["SubscriptionArn"], context)
    shown = {
        **_summary(subscription),
        "SubscriptionArn": subscription.arn,
        "ConfirmationWasAuthenticated": _text(not is_pending(subscription)),
        "PendingConfirmation": _text(is_pending(subscription)),
        "RawMessageDelivery": "false",
    }
    return {"Attributes": shown | subscription.body["Attributes"]}


@operation("sns", "SetSubscriptionAttributes")
def set_subscription_attributes(request: Request, context: Context) -> Response:
    subscription = _find(request["SubscriptionArn"], context)
    name, value = request["AttributeName"], request.get("AttributeValue", "")
    _check_attribute(name, value)

    def apply(resource: Resource) -> None:
        resource.body["Attributes"][name] = value

    context.app.resources.update(subscription.arn, apply)
    return {}


@operation("sns", "ListSubscriptions")
def list_subscriptions(request: Request, context: Context) -> Response:
    query = Query(SUBSCRIPTION, descending=False, next_token=request.get("NextToken"))
    found, token = context.app.resources.page(context.scope, query)
    return {"Subscriptions": list(map(_summary, found)), "NextToken": token}


@operation("sns", "ListSubscriptionsByTopic")
def list_subscriptions_by_topic(request: Request, context: Context) -> Response:
    topic = find_topic(request["TopicArn"], context)
    query = Query(SUBSCRIPTION, parent=topic.name, descending=False, next_token=request.get("NextToken"))
    found, token = context.app.resources.page(topic.scope, query)
    return {"Subscriptions": list(map(_summary, found)), "NextToken": token}


def _summary(subscription: Resource) -> dict[str, str]:
    body = subscription.body
    return {
        "SubscriptionArn": "PendingConfirmation" if is_pending(subscription) else subscription.arn,
        "Owner": Arn.parse(subscription.arn).account,
        "Protocol": body["Protocol"],
        "Endpoint": body["Endpoint"],
        "TopicArn": body["TopicArn"],
    }


def _text(value: bool) -> str:
    return str(value).lower()


def filter_of(subscription: Resource) -> tuple[dict[str, Any], str] | None:
    """The filter policy of a subscription and what it is held against; None where every message passes."""
    text = subscription.body["Attributes"].get("FilterPolicy")
    if not text or text == "{}":
        return None
    return json.loads(text), subscription.body["Attributes"].get("FilterPolicyScope", "MessageAttributes")
