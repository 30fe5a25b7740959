"""SQS of a running emulator, by boto3."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import Emulator


@pytest.fixture(scope="module")
def sqs(emulator: Emulator) -> Any:
    return emulator.client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    return make(sqs)


def make(sqs: Any, suffix: str = "", **attributes: str) -> str:
    url: str = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}{suffix}", Attributes=attributes)["QueueUrl"]
    return url


def receive(sqs: Any, url: str, **options: Any) -> list[dict[str, Any]]:
    return sqs.receive_message(QueueUrl=url, **options).get("Messages", [])


def attribute(sqs: Any, url: str, name: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def test_a_message_comes_back_with_its_attributes_and_is_gone_when_deleted(sqs: Any, queue: str) -> None:
    attributes = {
        "text": {"DataType": "String", "StringValue": "ü"},
        "number": {"DataType": "Number", "StringValue": "1.5"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hällo", MessageAttributes=attributes)
    (message,) = receive(sqs, queue, MessageAttributeNames=["All"], AttributeNames=["All"])
    assert message["Body"] == "hällo"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MessageAttributes"] == attributes  # botocore has checked both MD5 sums
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert receive(sqs, queue) == []
    assert attribute(sqs, queue, "ApproximateNumberOfMessagesNotVisible") == "1"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert attribute(sqs, queue, "ApproximateNumberOfMessagesNotVisible") == "0"


def test_a_queue_is_found_by_its_name_and_by_its_url_on_aws(sqs: Any, queue: str) -> None:
    name = queue.rpartition("/")[2]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == queue
    assert queue in sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]
    sqs.send_message(QueueUrl=f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}", MessageBody="x")
    assert [message["Body"] for message in receive(sqs, queue)] == ["x"]


def test_an_unknown_queue_is_an_error_with_both_of_its_codes(sqs: Any) -> None:
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.get_queue_url(QueueName="nothing")
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-errortype"] == "com.amazonaws.sqs#QueueDoesNotExist"


def test_creating_is_idempotent_but_not_with_other_attributes(sqs: Any, queue: str) -> None:
    name = queue.rpartition("/")[2]
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == queue
    with pytest.raises(sqs.exceptions.QueueNameExists):
        sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "9"})
    with pytest.raises(ClientError, match="DelaySeconds"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "901"})


def test_a_long_poll_ends_when_a_message_comes_and_lets_others_through(sqs: Any, queue: str) -> None:
    got: list[Any] = []
    waiter = threading.Thread(target=lambda: got.extend(receive(sqs, queue, WaitTimeSeconds=20)))
    began = time.monotonic()
    waiter.start()
    time.sleep(0.2)
    sqs.send_message(QueueUrl=queue, MessageBody="at last")
    waiter.join()
    assert [message["Body"] for message in got] == ["at last"]
    assert time.monotonic() - began < 5


def test_a_long_poll_sees_what_becomes_visible_and_gives_up_in_time(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=1)
    assert [message["Body"] for message in receive(sqs, queue, WaitTimeSeconds=5)] == ["late"]
    began = time.monotonic()
    assert receive(sqs, queue, WaitTimeSeconds=1) == []
    assert 0.9 < time.monotonic() - began < 3


def test_visibility_can_be_ended_and_an_old_handle_no_longer_deletes(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="again")
    (first,) = receive(sqs, queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    (second,) = receive(sqs, queue, AttributeNames=["ApproximateReceiveCount"])
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    assert attribute(sqs, queue, "ApproximateNumberOfMessagesNotVisible") == "1"
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="nonsense")


def test_batches_answer_each_entry_by_itself(sqs: Any, queue: str) -> None:
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2", "DelaySeconds": 901}]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["a"]
    assert [entry["Id"] for entry in answer["Failed"]] == ["b"]
    (message,) = receive(sqs, queue, MaxNumberOfMessages=10)
    deleted = sqs.delete_message_batch(
        QueueUrl=queue,
        Entries=[{"Id": "x", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "y", "ReceiptHandle": "-"}],
    )
    assert [entry["Id"] for entry in deleted["Successful"]] == ["x"]
    assert deleted["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"


def test_a_fifo_queue_keeps_the_order_of_a_group_and_drops_duplicates(sqs: Any) -> None:
    url = make(sqs, ".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    ids = [
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)["MessageId"]
        for body, group in (("a1", "a"), ("a1", "a"), ("a2", "a"), ("b1", "b"))
    ]
    assert ids[0] == ids[1]
    (first,) = receive(sqs, url)
    assert first["Body"] == "a1"
    rest = receive(sqs, url, MaxNumberOfMessages=10)
    assert [message["Body"] for message in rest] == ["b1"]  # group a waits for its first
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert [message["Body"] for message in receive(sqs, url)] == ["a2"]


def test_what_is_received_too_often_goes_to_the_dead_letter_queue(sqs: Any, queue: str) -> None:
    dead = make(sqs)
    policy = {"deadLetterTargetArn": attribute(sqs, dead, "QueueArn"), "maxReceiveCount": "1"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy)})
    assert json.loads(attribute(sqs, queue, "RedrivePolicy"))["maxReceiveCount"] == 1
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    assert receive(sqs, queue, VisibilityTimeout=0)
    assert receive(sqs, queue) == []
    (message,) = receive(sqs, dead, AttributeNames=["DeadLetterQueueSourceArn"])
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == attribute(sqs, queue, "QueueArn")
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]


def test_tags_purge_and_deletion(sqs: Any, queue: str) -> None:
    sqs.tag_queue(QueueUrl=queue, Tags={"team": "a", "cost": "b"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["cost"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"team": "a"}
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.purge_queue(QueueUrl=queue)
    assert receive(sqs, queue) == []
    sqs.delete_queue(QueueUrl=queue)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        receive(sqs, queue)


def test_messages_outlive_a_kill(own_emulator: Emulator) -> None:
    own_emulator.start()
    sqs = own_emulator.client("sqs")
    sqs.send_message(QueueUrl=make(sqs), MessageBody="kept")
    own_emulator.kill()
    own_emulator.start()
    sqs = own_emulator.client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    assert [message["Body"] for message in receive(sqs, url)] == ["kept"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"MessageAttributes": {"a b": {"DataType": "String", "StringValue": "x"}}}, "name 'a b' is invalid"),
        ({"MessageAttributes": {"AWS.a": {"DataType": "String", "StringValue": "x"}}}, "name 'AWS.a' is invalid"),
        ({"MessageAttributes": {"a..b": {"DataType": "String", "StringValue": "x"}}}, "name 'a..b' is invalid"),
        ({"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String"}}}, "must contain a non-empty value"),
    ],
)
def test_attributes_that_sqs_refuses(sqs: Any, queue: str, message: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        sqs.send_message(QueueUrl=queue, MessageBody="x", **message)


def test_a_queue_cannot_become_fifo_and_an_url_that_is_none_is_not_found(sqs: Any, queue: str) -> None:
    with pytest.raises(ClientError, match="Unknown Attribute FifoQueue"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"FifoQueue": "true"})
    with pytest.raises(ClientError, match="does not exist"):
        sqs.receive_message(QueueUrl="http://[::1")
