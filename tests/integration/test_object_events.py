"""What happens to objects starts pipelines, fills queues and calls functions."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.integration.emulators import Emulator, until
from tests.integration.functions import function
from tests.integration.small_pipelines import Runner, processing_step
from tests.integration.test_events import Bridge

ACCOUNT = "123456789012"
EVERYTHING = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


class Watched:
    """A bucket, and a queue that may be told of it."""

    def __init__(self, emulator: Emulator) -> None:
        self.s3, self.sqs = emulator.client("s3"), emulator.client("sqs")
        self.name = f"watched-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.name)
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{self.name}"

    def configure(self, **configuration: Any) -> None:
        self.s3.put_bucket_notification_configuration(Bucket=self.name, NotificationConfiguration=configuration)

    def tell_queue(self, events: list[str] = EVERYTHING, **entry: Any) -> None:
        self.configure(QueueConfigurations=[{"QueueArn": self.queue, "Events": events, **entry}])
        (test,) = self.messages(1)
        assert (test["Service"], test["Event"], test["Bucket"]) == ("Amazon S3", "s3:TestEvent", self.name)

    def put(self, key: str, body: bytes = b"x") -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def messages(self, number: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + 30
        while len(found) < number and time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) == number, found
        return found

    def records(self, number: int) -> list[dict[str, Any]]:
        records = [message["Records"][0] for message in self.messages(number)]
        return sorted(records, key=lambda record: record["s3"]["object"].get("sequencer", ""))


@pytest.fixture
def watched(emulator: Emulator) -> Iterator[Watched]:
    watched = Watched(emulator)
    yield watched
    watched.configure()


def test_a_new_object_starts_a_pipeline_with_its_key(emulator: Emulator, runner: Runner, watched: Watched) -> None:
    name = f"arrivals-{uuid.uuid4().hex[:8]}"
    step = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Key"}}}
    arn = runner.create(step, name=name, parameters=[{"Name": "Key", "Type": "String"}])
    parameters = {"PipelineParameterList": [{"Name": "Key", "Value": "$.detail.object.key"}]}
    bridge = Bridge(emulator, Arn=arn, SageMakerPipelineParameters=parameters, RoleArn="arn:aws:iam::1:role/r")
    bridge.on({
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [watched.name]}, "object": {"key": [{"prefix": "incoming/"}]}},
    })  # fmt: skip
    watched.configure(EventBridgeConfiguration={})
    watched.put("elsewhere/a.csv")
    watched.put("incoming/some flights.csv")
    found = until(lambda: runner.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"])
    execution = found[0]["PipelineExecutionArn"]
    runner.ended(execution)
    bridge.remove()
    assert "incoming/some flights.csv" in runner.steps(execution)["Fail"]["FailureReason"]
    assert len(runner.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]) == 1


def test_the_bus_gets_the_events_of_the_user_guide(emulator: Emulator, watched: Watched) -> None:
    watched.configure(EventBridgeConfiguration={})
    detail = {"detail": {"bucket": {"name": [watched.name]}}}
    bridge = Bridge(emulator).on({"source": ["aws.s3"], **detail})
    watched.put("a b.csv", b"12345")
    watched.s3.delete_object(Bucket=watched.name, Key="a b.csv")
    watched.s3.delete_object(Bucket=watched.name, Key="never there")
    watched.s3.put_bucket_versioning(Bucket=watched.name, VersioningConfiguration={"Status": "Enabled"})
    marker = watched.s3.delete_object(Bucket=watched.name, Key="a b.csv")["VersionId"]
    created, deleted, marked = bridge.received(3)
    bridge.remove()
    assert (created["detail-type"], created["account"], created["region"]) == ("Object Created", ACCOUNT, "us-east-1")
    assert created["resources"] == [f"arn:aws:s3:::{watched.name}"]
    assert created["detail"] | {"request-id": "", "object": {}} == {
        "version": "0",
        "bucket": {"name": watched.name},
        "object": {},
        "request-id": "",
        "requester": ACCOUNT,
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }
    written = created["detail"]["object"]
    assert written | {"sequencer": ""} == {
        "key": "a b.csv", "size": 5, "etag": "827ccb0eea8a706c4c34a16891f84e7b", "sequencer": "",
    }  # fmt: skip
    assert deleted["detail-type"] == "Object Deleted"
    assert (deleted["detail"]["reason"], deleted["detail"]["deletion-type"]) == ("DeleteObject", "Permanently Deleted")
    assert written["sequencer"] < deleted["detail"]["object"]["sequencer"]
    assert marked["detail"]["deletion-type"] == "Delete Marker Created"
    assert marked["detail"]["object"]["version-id"] == marker


def test_an_input_path_and_a_transformer_take_the_object_out_of_the_event(emulator: Emulator, watched: Watched) -> None:
    watched.configure(EventBridgeConfiguration={})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [watched.name]}}}
    path = Bridge(emulator, InputPath="$.detail.object.key").on(pattern)
    paths = {"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"}
    transformer = {"InputPathsMap": paths, "InputTemplate": '{"InputDataUrl": "s3://<bucket>/<key>"}'}
    text = Bridge(emulator, InputTransformer=transformer).on(pattern)
    watched.put("in/a.csv")
    assert path.received(1) == ["in/a.csv"]
    assert text.received(1) == [{"InputDataUrl": f"s3://{watched.name}/in/a.csv"}]
    path.remove()
    text.remove()


def test_every_way_of_writing_and_deleting_is_told(watched: Watched) -> None:
    watched.tell_queue(Id="mine")
    s3, bucket = watched.s3, watched.name
    watched.put("dir/red flower=1.jpg", b"12345")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "dir/red flower=1.jpg"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"abc")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "parts"}]})
    records = watched.records(5)
    assert [record["eventName"] for record in records] == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectRemoved:Delete",
        "ObjectRemoved:Delete",
    ]
    first = records[0]
    assert (first["eventVersion"], first["eventSource"], first["awsRegion"]) == ("2.1", "aws:s3", "us-east-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["eventTime"])
    assert first["s3"]["configurationId"] == "mine"
    assert first["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    shown = first["s3"]["object"]
    assert (shown["key"], shown["size"]) == ("dir/red+flower%3D1.jpg", 5)
    assert shown["eTag"] == "827ccb0eea8a706c4c34a16891f84e7b"
    assert set(records[3]["s3"]["object"]) == {"key", "sequencer"}


def test_filters_choose_keys_and_events(watched: Watched) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".csv"}]
    watched.tell_queue(["s3:ObjectCreated:Put"], Filter={"Key": {"FilterRules": rules}})
    for key in ("in/a.txt", "out/a.csv", "in/a.csv"):
        watched.put(key)
    watched.s3.copy_object(Bucket=watched.name, Key="in/copy.csv", CopySource=f"{watched.name}/in/a.csv")
    watched.s3.delete_object(Bucket=watched.name, Key="in/a.csv")
    watched.put("in/b.csv")
    assert [record["s3"]["object"]["key"] for record in watched.records(2)] == ["in/a.csv", "in/b.csv"]


def test_a_filter_may_be_written_as_keys_are_in_messages(watched: Watched) -> None:
    watched.tell_queue(**rule("prefix", "my+data/day%3D1/"))
    watched.put("my data/day=2/a")
    watched.put("my data/day=1/a")
    assert watched.records(1)[0]["s3"]["object"]["key"] == "my+data/day%3D1/a"


def test_tags_are_told(emulator: Emulator, watched: Watched) -> None:
    watched.put("a")
    watched.configure(EventBridgeConfiguration={})
    bridge = Bridge(emulator).on({"source": ["aws.s3"], "detail": {"bucket": {"name": [watched.name]}}})
    watched.s3.put_object_tagging(Bucket=watched.name, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    watched.s3.delete_object_tagging(Bucket=watched.name, Key="a")
    kinds = [event["detail-type"] for event in bridge.received(2)]
    bridge.remove()
    assert kinds == ["Object Tags Added", "Object Tags Deleted"]


def test_a_topic_and_a_function_are_told(emulator: Emulator, watched: Watched) -> None:
    sns, functions = emulator.client("sns"), emulator.client("lambda")
    topic = sns.create_topic(Name=watched.name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=watched.queue)
    source = (
        "import boto3, urllib.parse\n"
        "def handler(event, context):\n"
        "    record = event['Records'][0]['s3']\n"
        "    key = urllib.parse.unquote_plus(record['object']['key'])\n"
        "    boto3.client('s3').put_object(Bucket=record['bucket']['name'], Key='seen/' + key, Body=b'')\n"
    )
    arn = function(functions, source)
    incoming = {"Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}
    watched.configure(
        LambdaFunctionConfigurations=[{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], **incoming}],
        TopicConfigurations=[{"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}],
    )
    (test,) = watched.messages(1)
    assert test["Subject"] == "Amazon S3 Notification"
    watched.put("in/a b.csv")

    def keys() -> list[str]:
        return [found["Key"] for found in watched.s3.list_objects_v2(Bucket=watched.name).get("Contents", [])]

    until(lambda: "seen/in/a b.csv" in keys())
    watched.s3.delete_object(Bucket=watched.name, Key="in/a b.csv")
    (message,) = watched.messages(1)
    (record,) = json.loads(message["Message"])["Records"]
    assert record["eventName"] == "ObjectRemoved:Delete"


def test_what_a_job_writes_is_told(runner: Runner, watched: Watched) -> None:
    script = "open('/opt/ml/processing/out/result.csv', 'w').write('1,2\\n')\n"
    runner.upload(script, "code/telling.py")
    step = processing_step("Write", "code/telling.py", outputs=["out"])
    step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = f"s3://{watched.name}/results"
    watched.tell_queue()
    name = f"telling-{uuid.uuid4().hex[:8]}"
    runner.create(step, name=name)
    runner.ended(runner.start(name))
    (record,) = watched.records(1)
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "results/result.csv")
    assert record["s3"]["object"]["size"] == 4


def test_a_kill_loses_and_repeats_nothing(own_emulator: Emulator) -> None:
    """The writer is in the middle of it: what was answered is told once; the last may be there without an answer."""
    own_emulator.start()
    watched = Watched(own_emulator)
    watched.tell_queue()
    answered: list[str] = []

    def write() -> None:
        with contextlib.suppress(BotoCoreError, ClientError):
            for number in range(900):
                watched.put(f"{number:05}")
                answered.append(f"{number:05}")

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(answered) > 40)
    own_emulator.kill()
    writer.join()
    own_emulator.start()
    watched.s3 = own_emulator.client("s3")
    keys = [found["Key"] for found in watched.s3.list_objects_v2(Bucket=watched.name)["Contents"]]
    assert keys[: len(answered)] == answered
    watched.sqs = own_emulator.client("sqs")
    watched.url = watched.sqs.get_queue_url(QueueName=watched.name)["QueueUrl"]
    assert [record["s3"]["object"]["key"] for record in watched.records(len(keys))] == keys
    assert "Messages" not in watched.sqs.receive_message(QueueUrl=watched.url, WaitTimeSeconds=1)


def test_what_is_kept_is_given_back(watched: Watched) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}]
    entry = {"QueueArn": watched.queue, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    watched.configure(QueueConfigurations=[entry], EventBridgeConfiguration={})
    found = watched.s3.get_bucket_notification_configuration(Bucket=watched.name)
    (kept,) = found["QueueConfigurations"]
    assert found["EventBridgeConfiguration"] == {}
    assert kept.pop("Id")
    assert kept == entry | {"Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}]}}}
    watched.configure()
    found = watched.s3.get_bucket_notification_configuration(Bucket=watched.name)
    assert set(found) == {"ResponseMetadata"}


def rule(name: str, value: str) -> dict[str, Any]:
    return {"Filter": {"Key": {"FilterRules": [{"Name": name, "Value": value}]}}}


CREATED: dict[str, Any] = {"Events": ["s3:ObjectCreated:*"]}
PUT: dict[str, Any] = {"Events": ["s3:ObjectCreated:Put"]}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([CREATED | {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:none"}], "The destination queue does not exist"),
        ([CREATED | {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}], "FIFO SQS queues are not supported"),
        ([CREATED | {"QueueArn": "none"}], "The ARN could not be parsed"),
        ([CREATED | {"QueueArn": "arn:aws:sqs:eu-west-1:123456789012:none"}], "region is not valid"),
        ([{"Events": ["s3:ObjectEaten:*"]}], "not supported for notifications"),
        ([CREATED | rule("infix", "x")], "must be either prefix or suffix"),
        ([CREATED | rule("prefix", "x" * 1025)], "cannot exceed 1024 bytes"),
        ([CREATED, PUT], "Configuration is ambiguously defined"),
        ([CREATED | rule("prefix", "a/"), CREATED | rule("prefix", "a/b/")], "Configuration is ambiguously defined"),
        ([CREATED | rule("prefix", "a/"), CREATED | rule("suffix", ".csv")], "Configuration is ambiguously defined"),
        ([CREATED | {"Id": "1"} | rule("prefix", "a"), CREATED | {"Id": "1"} | rule("prefix", "b")], "Same ID"),
    ],
)
def test_what_s3_refuses(watched: Watched, entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        watched.configure(QueueConfigurations=[{"QueueArn": watched.queue, **entry} for entry in entries])
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidArgument"
    assert message in f"{error['Message']} {error.get('ArgumentValue')}"
    assert "QueueConfigurations" not in watched.s3.get_bucket_notification_configuration(Bucket=watched.name)


def test_disjoint_filters_share_an_event_and_validation_can_be_skipped(watched: Watched) -> None:
    gone = {"QueueArn": f"{watched.queue}-gone", **CREATED}
    entries = [gone | rule("prefix", "a/"), gone | rule("prefix", "b/")]
    watched.s3.put_bucket_notification_configuration(
        Bucket=watched.name,
        NotificationConfiguration={"QueueConfigurations": entries},
        SkipDestinationValidation=True,
    )
    watched.put("a/x")
    watched.tell_queue()
    watched.put("b/x")
    assert watched.records(1)[0]["s3"]["object"]["key"] == "b/x"
