"""Topics and their attributes (API Reference, CreateTopic and its siblings)."""

from __future__ import annotations

import json
import re
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.sns.errors import InvalidParameter, SnsNotFound
from emulator.services.tagging import serve_tags
from emulator.store.resources import Query, Resource, Scope

TOPIC = "sns-topic"
SUBSCRIPTION = "sns-subscription"
BY_MAIL = ("email", "email-json")
"""Protocols whose subscriptions wait for a confirmation."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_OWNERS_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)
_RETRIES = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
_DELIVERY = {
    "defaultHealthyRetryPolicy": _RETRIES,
    "disableSubscriptionOverrides": False,
    "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
}
"""What SNS does where a topic has no DeliveryPolicy (Developer Guide, "Amazon SNS message delivery retries")."""
_SETTABLE = ("DisplayName", "Policy", "DeliveryPolicy", "TracingConfig", "SignatureVersion")


def topic_arn(scope: Scope, name: str) -> str:
    return str(Arn(partition_of(scope.region), "sns", scope.region, scope.account, name))


def find_topic(arn: str, context: Context) -> Resource:
    """
    Raises:
        SnsNotFound: there is no such topic.
    """
    topic = context.app.resources.by_arn(arn)
    if topic is None or topic.kind != TOPIC:
        raise SnsNotFound("Topic does not exist")
    return topic


@operation("sns", "CreateTopic")
def create_topic(request: Request, context: Context) -> Response:
    """Creating a topic that is there answers its ARN."""
    name, attributes = request["Name"], request.get("Attributes") or {}
    if name.endswith(".fifo") or attributes.get("FifoTopic") == "true":
        raise NotImplementedHere("The emulator does not have FIFO topics of SNS yet.")
    if not _NAME.fullmatch(name):
        raise InvalidParameter("Invalid parameter: Topic Name")
    arn = topic_arn(context.scope, name)
    _check_attributes(attributes)
    context.app.resources.insert(Resource(context.scope, TOPIC, name, arn, {"Attributes": attributes}))
    context.app.resources.add_tags(arn, request.get("Tags") or [])
    return {"TopicArn": arn}


def _check_attributes(attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        if name == "KmsMasterKeyId" and value:
            raise NotImplementedHere("The emulator has no KMS, so it cannot encrypt a topic (KmsMasterKeyId).")
        if name not in _SETTABLE:
            raise InvalidParameter("Invalid parameter: AttributeName")


@operation("sns", "ListTopics")
def list_topics(request: Request, context: Context) -> Response:
    query = Query(TOPIC, sort_by="Name", descending=False, next_token=request.get("NextToken"))
    topics, token = context.app.resources.page(context.scope, query)
    return {"Topics": [{"TopicArn": topic.arn} for topic in topics], "NextToken": token}


@operation("sns", "GetTopicAttributes")
def get_topic_attributes(request: Request, context: Context) -> Response:
    topic = find_topic(request["TopicArn"], context)
    pending = [is_pending(subscription) for subscription in subscriptions_of(topic, context)]
    attributes = {
        "TopicArn": topic.arn,
        "Owner": topic.scope.account,
        "DisplayName": "",
        "SubscriptionsConfirmed": str(pending.count(False)),
        "SubscriptionsPending": str(pending.count(True)),
        "SubscriptionsDeleted": "0",
        "Policy": json.dumps(_default_policy(topic)),
        "EffectiveDeliveryPolicy": topic.body["Attributes"].get("DeliveryPolicy") or json.dumps({"http": _DELIVERY}),
    }
    return {"Attributes": attributes | topic.body["Attributes"]}


def _default_policy(topic: Resource) -> dict[str, Any]:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _OWNERS_ACTIONS],
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.scope.account}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


@operation("sns", "SetTopicAttributes")
def set_topic_attributes(request: Request, context: Context) -> Response:
    topic = find_topic(request["TopicArn"], context)
    change = {request["AttributeName"]: request.get("AttributeValue", "")}
    _check_attributes(change)

    def apply(resource: Resource) -> None:
        resource.body["Attributes"] |= change

    context.app.resources.update(topic.arn, apply)
    return {}


@operation("sns", "DeleteTopic")
def delete_topic(request: Request, context: Context) -> Response:
    """Its subscriptions go with it; deleting what is not there is no error."""
    topic = context.app.resources.by_arn(request["TopicArn"])
    if topic is not None and topic.kind == TOPIC:
        with context.app.resources.database.transaction():
            for subscription in subscriptions_of(topic, context):
                context.app.resources.delete(subscription.arn)
            context.app.resources.delete(topic.arn)
    return {}


def is_pending(subscription: Resource) -> bool:
    """Whether someone would have to confirm it, in answer to a mail that the emulator does not send."""
    return subscription.body["Protocol"] in BY_MAIL


def subscriptions_of(topic: Resource, context: Context) -> list[Resource]:
    query = Query(SUBSCRIPTION, parent=topic.name, descending=False)
    return list(context.app.resources.walk(topic.scope, query))


def _tagged(request: Request, context: Context) -> str:
    try:
        return find_topic(request["ResourceArn"], context).arn
    except SnsNotFound:
        raise AwsError("Resource does not exist", code="ResourceNotFound", status=404) from None


serve_tags("sns", _tagged)
