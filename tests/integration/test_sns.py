"""SNS of a running emulator."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import Emulator
from tests.integration.functions import function


@pytest.fixture(scope="module")
def sns(emulator: Emulator) -> Any:
    return emulator.client("sns")


@pytest.fixture(scope="module")
def sqs(emulator: Emulator) -> Any:
    return emulator.client("sqs")


@pytest.fixture
def topic(sns: Any) -> str:
    return sns.create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]


def queue(sqs: Any) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=f"sns-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


def bodies(sqs: Any, url: str, wait: int = 0) -> list[str]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_message_goes_to_every_queue_wrapped_or_raw(sns: Any, sqs: Any, topic: str) -> None:
    (wrapped, arn), (raw, raw_arn) = queue(sqs), queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=raw_arn, Attributes={"RawMessageDelivery": "true"})
    message_id = sns.publish(
        TopicArn=topic, Message="hi", Subject="s", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}}
    )["MessageId"]
    (envelope,) = map(json.loads, bodies(sqs, wrapped))
    assert (envelope["Type"], envelope["MessageId"], envelope["TopicArn"]) == ("Notification", message_id, topic)
    assert (envelope["Message"], envelope["Subject"]) == ("hi", "s")
    assert envelope["MessageAttributes"] == {"a": {"Type": "String", "Value": "b"}}
    assert bodies(sqs, raw) == ["hi"]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "2"


def test_a_subscription_by_mail_is_pending_and_keeps_no_message_from_others(sns: Any, sqs: Any, topic: str) -> None:
    url, arn = queue(sqs)
    by_mail = {"TopicArn": topic, "Protocol": "email", "Endpoint": "someone@example.com"}
    assert sns.subscribe(**by_mail)["SubscriptionArn"] == "pending confirmation"
    known = sns.subscribe(**by_mail, ReturnSubscriptionArn=True)["SubscriptionArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="hi")
    assert bodies(sqs, url) == ["hi"]
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sorted((each["Protocol"], each["SubscriptionArn"].startswith("arn:")) for each in listed) == [
        ("email", False),
        ("sqs", True),
    ]
    counts = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (counts["SubscriptionsConfirmed"], counts["SubscriptionsPending"]) == ("1", "1")
    assert sns.get_subscription_attributes(SubscriptionArn=known)["Attributes"]["PendingConfirmation"] == "true"
    with pytest.raises(ClientError, match="Email address"):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="nobody")


def test_a_filter_lets_through_what_matches(sns: Any, sqs: Any, topic: str) -> None:
    url, arn = queue(sqs)
    attributes = {"RawMessageDelivery": "true", "FilterPolicy": '{"n": [{"numeric": [">", 5]}]}'}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    for number in ("3", "7"):
        sns.publish(
            TopicArn=topic, Message=number, MessageAttributes={"n": {"DataType": "Number", "StringValue": number}}
        )
    assert bodies(sqs, url) == ["7"]


def test_a_batch_and_a_message_for_each_protocol(sns: Any, sqs: Any, topic: str) -> None:
    url, arn = queue(sqs)
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )["SubscriptionArn"]
    entries = [
        {"Id": "a", "Message": "one"},
        {"Id": "b", "Message": json.dumps({"default": "x", "sqs": "two"}), "MessageStructure": "json"},
        {"Id": "c", "Message": "{}", "MessageStructure": "json"},
    ]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a", "b"]
    assert [each["Id"] for each in answer["Failed"]] == ["c"]
    assert sorted(bodies(sqs, url)) == ["one", "two"]
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.publish(TopicArn=topic, Message="nobody")
    assert bodies(sqs, url) == []


def test_a_function_gets_records(sns: Any, sqs: Any, topic: str, emulator: Emulator) -> None:
    url, _ = queue(sqs)
    source = f"""
import boto3
def handler(event, context):
    text = event["Records"][0]["Sns"]["Message"]
    boto3.client("sqs").send_message(QueueUrl={url!r}, MessageBody=text)
"""
    arn = function(emulator.client("lambda"), source, Timeout=30)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="for the function")
    assert bodies(sqs, url, wait=20) == ["for the function"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"Subject": "two\nlines"}, "Invalid parameter: Subject"),
        ({"Message": "[" * 50_000, "MessageStructure": "json"}, "JSON message body failed to parse"),
        ({"MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}}, "invalid message attribute type"),
        ({"MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}}, "must contain non-empty message"),
        ({"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}}, "Could not cast message attribute"),
    ],
)
def test_messages_that_sns_refuses(sns: Any, topic: str, message: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        sns.publish(**{"TopicArn": topic, "Message": "x", **message})


def test_a_topic_shows_what_its_owner_may_do_and_how_it_tries_again(sns: Any, topic: str) -> None:
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    actions = json.loads(attributes["Policy"])["Statement"][0]["Action"]
    assert {"SNS:Publish", "SNS:DeleteTopic", "SNS:ListSubscriptionsByTopic"} < set(actions)
    delivery = json.loads(attributes["EffectiveDeliveryPolicy"])
    assert delivery["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3
    with pytest.raises(sns.exceptions.ResourceNotFoundException, match="Resource does not exist"):
        sns.list_tags_for_resource(ResourceArn=f"{topic}-not")


def test_batches_and_queues_that_sns_refuses(sns: Any, topic: str) -> None:
    for entries in ([], [{"Id": str(number), "Message": "x"} for number in range(11)]):
        with pytest.raises(ClientError, match="batch request"):
            sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    with pytest.raises(ClientError, match="can not be subscribed to standard SNS topics"):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q.fifo")


def test_other_protocols_and_unknown_topics_are_refused(sns: Any, topic: str) -> None:
    with pytest.raises(ClientError, match="not by https"):
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://example.org")
    sns.delete_topic(TopicArn=topic)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=topic, Message="x")
