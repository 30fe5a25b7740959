"""Messages of queues that go to functions by themselves, as a Callback step's do."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.services.lambda_.polling import reported_failures
from tests.integration.emulators import Emulator, until
from tests.integration.functions import function

SHOW = """
import json
def handler(event, context):
    for record in event["Records"]:
        print(json.dumps(record))
"""
FAIL_ONE = """
def handler(event, context):
    failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
"""


@pytest.fixture(scope="module")
def lambda_(emulator: Emulator) -> Any:
    return emulator.client("lambda")


@pytest.fixture(scope="module")
def sqs(emulator: Emulator) -> Any:
    return emulator.client("sqs")


def queue(sqs: Any, **attributes: str) -> tuple[str, str]:
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}", Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:123456789012:{url.rpartition('/')[2]}"


def left(sqs: Any, url: str) -> tuple[int, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def test_messages_go_to_the_function_and_are_deleted(emulator: Emulator, lambda_: Any, sqs: Any) -> None:
    url, arn = queue(sqs)
    name = function(lambda_, SHOW)
    wanted = json.dumps({"body": {"kind": ["wanted"]}})
    created = lambda_.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, BatchSize=1, FilterCriteria={"Filters": [{"Pattern": wanted}]}
    )
    assert (created["State"], created["FunctionArn"], created["BatchSize"]) == ("Creating", name, 1)
    assert lambda_.get_event_source_mapping(UUID=created["UUID"])["State"] == "Enabled"
    sqs.send_message(QueueUrl=url, MessageBody='{"kind": "other"}')
    attributes = {"Town": {"DataType": "String", "StringValue": "Kiel"}}
    sqs.send_message(QueueUrl=url, MessageBody='{"kind": "wanted"}', MessageAttributes=attributes)
    until(lambda: left(sqs, url) == (0, 0))
    group = f"/aws/lambda/{name.rpartition(':')[2]}"
    lines = [each["message"] for each in emulator.client("logs").filter_log_events(logGroupName=group)["events"]]
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert [record["body"] for record in records] == ['{"kind": "wanted"}']
    assert (records[0]["eventSource"], records[0]["eventSourceARN"]) == ("aws:sqs", arn)
    assert records[0]["attributes"]["ApproximateReceiveCount"] == "1"
    assert records[0]["messageAttributes"]["Town"]["stringValue"] == "Kiel"


def test_messages_that_a_function_says_have_failed_stay(lambda_: Any, sqs: Any) -> None:
    url, arn = queue(sqs)
    for body in ("good", "bad", "good"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    options: dict[str, Any] = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function(lambda_, FAIL_ONE), **options)
    until(lambda: left(sqs, url) == (0, 1))


def test_a_mapping_is_changed_listed_and_deleted(lambda_: Any, sqs: Any) -> None:
    url, arn = queue(sqs)
    name = function(lambda_, SHOW)
    request: dict[str, Any] = {"EventSourceArn": arn, "FunctionName": name, "Enabled": False, "Tags": {"a": "b"}}
    created = lambda_.create_event_source_mapping(**request)
    mapping = created["UUID"]
    assert lambda_.list_tags(Resource=created["EventSourceMappingArn"])["Tags"] == {"a": "b"}
    sqs.send_message(QueueUrl=url, MessageBody="waits")
    found = lambda_.list_event_source_mappings(FunctionName=name, EventSourceArn=arn)["EventSourceMappings"]
    assert [(each["UUID"], each["State"], each["BatchSize"]) for each in found] == [(mapping, "Disabled", 10)]
    with pytest.raises(lambda_.exceptions.ResourceConflictException, match=mapping):
        lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    assert left(sqs, url) == (1, 0)
    lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)
    until(lambda: left(sqs, url) == (0, 0))
    assert lambda_.delete_event_source_mapping(UUID=mapping)["State"] == "Deleting"
    with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
        lambda_.get_event_source_mapping(UUID=mapping)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:none"}, "NonExistentQueue"),
        ({"FunctionName": "no-such-function"}, "Function does not exist"),
        ({"BatchSize": 11}, "Maximum batch window"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "[]"}]}}, "Invalid filter pattern"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}, "event sources of SQS only"),
        ({"StartingPosition": "LATEST"}, "StartingPosition is not valid"),
    ],
)
def test_mappings_that_lambda_would_not_make_are_refused(
    lambda_: Any, sqs: Any, change: dict[str, Any], message: str
) -> None:
    request = {"EventSourceArn": queue(sqs)[1], "FunctionName": function(lambda_, SHOW)} | change
    with pytest.raises(ClientError, match=message):
        lambda_.create_event_source_mapping(**request)


def test_a_queue_must_hide_messages_for_as_long_as_the_function_may_run(lambda_: Any, sqs: Any) -> None:
    with pytest.raises(ClientError, match="visibility timeout: 5 seconds is less than Function timeout: 6"):
        lambda_.create_event_source_mapping(
            EventSourceArn=queue(sqs, VisibilityTimeout="5")[1], FunctionName=function(lambda_, SHOW, Timeout=6)
        )


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        ("null", set()),
        ("{}", set()),
        ('{"batchItemFailures": null}', set()),
        ('{"batchItemFailures": [{"itemIdentifier": "a"}]}', {"a"}),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', {"a", "b"}),
        ('{"batchItemFailures": [{"id": "a"}]}', {"a", "b"}),
        ('"text"', {"a", "b"}),
    ],
)
def test_a_report_of_failures_that_is_not_valid_fails_the_batch(payload: str, failed: set[str]) -> None:
    assert reported_failures(payload, {"a", "b"}) == failed
