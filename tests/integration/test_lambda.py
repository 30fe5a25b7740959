"""Lambda of a running emulator: functions are really run, in sandboxes."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import Emulator, until
from tests.integration.functions import ROLE, function, zipped


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Any:
    return emulator.client("lambda")


def call(client: Any, arn: str, event: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    answer = client.invoke(FunctionName=arn, Payload=json.dumps(event).encode(), **options)
    return json.loads(answer["Payload"].read()), answer


SHOW = """
import logging, os
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("hello", event["name"])
    logging.info("logged")
    return {
        "event": event, "name": context.function_name, "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis(), "x": os.environ["XX"],
        "task": os.environ["LAMBDA_TASK_ROOT"], "here": os.listdir("."),
    }
"""


def test_a_function_gets_its_event_context_and_environment(client: Any, emulator: Emulator) -> None:
    arn = function(client, SHOW, Timeout=9, MemorySize=256, Environment={"Variables": {"XX": "y"}})
    result, answer = call(client, arn, {"name": "ü"}, LogType="Tail")
    assert result["event"] == {"name": "ü"}
    assert (result["arn"], result["name"]) == (arn, arn.rpartition(":")[2])
    assert (result["memory"], result["x"]) == ("256", "y")
    assert "app.py" in result["here"]
    assert 0 < result["left"] <= 9000
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert f"START RequestId: {result['id']}" in tail
    assert "hello ü" in tail
    assert "[INFO]" in tail
    logs = emulator.client("logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{result['name']}")["events"]
    assert any(event["message"] == "hello ü" for event in events)


def test_what_a_handler_raises_is_the_answer(client: Any) -> None:
    arn = function(client, "def handler(event, context):\n    raise KeyError('no such thing')\n")
    result, answer = call(client, arn)
    assert answer["FunctionError"] == "Unhandled"
    assert (result["errorType"], result["errorMessage"]) == ("KeyError", "'no such thing'")
    assert "app.py" in result["stackTrace"][0]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import nothing_like_it\n", "Runtime.ImportModuleError"),
        ("def other(event, context): pass\n", "Runtime.HandlerNotFound"),
        ("def handler(event, context): return object()\n", "Runtime.MarshalError"),
        ("import os\ndef handler(event, context): os._exit(3)\n", "Runtime.ExitError"),
    ],
)
def test_errors_of_the_runtime_have_its_names(client: Any, source: str, kind: str) -> None:
    result, answer = call(client, function(client, source))
    assert (result["errorType"], answer["FunctionError"]) == (kind, "Unhandled")


def test_a_timeout_ends_the_function(client: Any) -> None:
    arn = function(client, "import time\ndef handler(event, context): time.sleep(60)\n", Timeout=1)
    began = time.monotonic()
    result, _ = call(client, arn)
    assert result["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in result["errorMessage"]
    assert time.monotonic() - began < 10


def test_a_function_has_boto3_and_reaches_the_emulator(client: Any, emulator: Emulator) -> None:
    source = """
import boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody=context.aws_request_id)
"""
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="from-a-function")["QueueUrl"]
    arn = function(client, source, Timeout=30)
    result, answer = call(client, arn, {"url": url}, InvocationType="RequestResponse")
    assert (result, answer["StatusCode"]) == (None, 200)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    accepted = client.invoke(FunctionName=arn, Payload=json.dumps({"url": url}).encode(), InvocationType="Event")
    assert accepted["StatusCode"] == 202
    assert len(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]) == 1


def test_new_code_and_configuration_take_effect(client: Any, emulator: Emulator) -> None:
    arn = function(client, "def handler(event, context): return 1\n")
    assert call(client, arn)[0] == 1
    assert client.publish_version(FunctionName=arn)["Version"] == "1"
    client.create_alias(FunctionName=arn, Name="live", FunctionVersion="1")
    emulator.client("s3").create_bucket(Bucket="code")
    emulator.client("s3").put_object(Bucket="code", Key="a.zip", Body=zipped("def two(e, c): return 2\n", "b.py"))
    client.update_function_code(FunctionName=arn, S3Bucket="code", S3Key="a.zip")
    client.update_function_configuration(FunctionName=arn, Handler="b.two")
    assert call(client, arn)[0] == 2
    assert call(client, f"{arn}:live")[0] == 1
    assert client.get_function(FunctionName=arn)["Configuration"]["Handler"] == "b.two"


def test_the_code_of_a_function_is_where_get_function_says(client: Any) -> None:
    arn = function(client, "def handler(event, context): return 1\n", Publish=True)
    newer = zipped("def handler(event, context): return 2\n")
    client.update_function_code(FunctionName=arn, ZipFile=newer)
    links = [client.get_function(FunctionName=name)["Code"]["Location"] for name in (arn, f"{arn}:1")]
    with urlopen(links[0]) as answer:
        assert answer.read() == newer
    with urlopen(links[1]) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
        assert b"return 1" in archive.read("app.py")
    for path in (f"{'0' * 32}.zip", "..%2F..%2Fstate.db", ""):
        with pytest.raises(HTTPError, match="403"):
            urlopen(f"{links[0].rpartition('/')[0]}/{path}")


def test_what_cannot_be_run_is_refused_by_name(client: Any) -> None:
    with pytest.raises(ClientError, match="nodejs"):
        client.create_function(
            FunctionName="js", Runtime="nodejs20.x", Role=ROLE, Handler="a.b", Code={"ZipFile": zipped("")}
        )
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="unzip"):
        client.create_function(
            FunctionName="bad", Runtime="python3.12", Role=ROLE, Handler="a.b", Code={"ZipFile": b"no zip"}
        )
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="leads out"):
        client.create_function(
            FunctionName="bad", Runtime="python3.12", Role=ROLE, Handler="a.b",
            Code={"ZipFile": zipped("", "../../evil.py")},
        )  # fmt: skip


def test_an_invocation_whose_process_is_killed_is_a_fault_of_the_service_and_the_next_one_runs(
    client: Any, emulator: Emulator
) -> None:
    arn = function(
        client, "import time\ndef handler(event, context):\n  time.sleep(event)\n  return event\n", Timeout=30
    )
    assert call(client, arn, 0)[0] == 0
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(call, client, arn, 20)
        runs = emulator.data_dir / "functions" / "runs"
        until(lambda: list(runs.glob("*/ml/invocation/request.json")))
        for host in (emulator.data_dir / "functions" / "hosts").iterdir():
            os.kill(int(host.name), signal.SIGKILL)
        with pytest.raises(ClientError, match="ServiceException"):
            waits.result()
    assert call(client, arn, 1)[0] == 1


def test_deleted_functions_are_gone_and_names_are_unique(client: Any) -> None:
    arn = function(client, "def handler(event, context): return 1\n", Tags={"a": "b"})
    name = arn.rpartition(":")[2]
    assert client.list_tags(Resource=arn)["Tags"] == {"a": "b"}
    assert name in [each["FunctionName"] for each in client.list_functions()["Functions"]]
    with pytest.raises(client.exceptions.ResourceConflictException, match="already exist"):
        client.create_function(
            FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="a.b", Code={"ZipFile": zipped("")}
        )
    client.add_permission(
        FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    assert json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"][0]["Sid"] == "s"
    client.delete_function(FunctionName=name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName=name)


def test_versions_have_descriptions_of_their_own_and_numbers_in_their_arns(client: Any) -> None:
    arn = function(client, "def handler(event, context): return 1\n", Publish=True, Description="first")
    assert client.get_function(FunctionName=arn)["Configuration"]["Version"] == "$LATEST", "the ARN is the function's"
    assert client.publish_version(FunctionName=arn, Description="unchanged")["Version"] == "1"
    client.update_function_configuration(FunctionName=arn, Timeout=7)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="different from current"):
        client.publish_version(FunctionName=arn, CodeSha256="other")
    second = client.publish_version(FunctionName=arn, Description="second")
    assert (second["Version"], second["Description"]) == ("2", "second")
    assert client.publish_version(FunctionName=arn)["Version"] == "2"
    every = [each["FunctionArn"] for each in client.list_functions(FunctionVersion="ALL")["Functions"]]
    mine = [each for each in every if each.startswith(f"{arn}:")]
    assert mine == [f"{arn}:$LATEST", f"{arn}:1", f"{arn}:2"]


def test_permissions_belong_to_the_function_or_to_one_of_its_versions(client: Any) -> None:
    arn = function(client, "def handler(event, context): return 1\n", Publish=True)

    def permission(sid: str, principal: str = "events.amazonaws.com", **options: Any) -> Any:
        request = {"FunctionName": arn, "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": principal}
        return json.loads(client.add_permission(**request, **options)["Statement"])

    assert permission("s", "123456789012")["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    statement = permission("s", Qualifier="1", PrincipalOrgID="o-a1b2c3d4e5")
    assert statement["Resource"] == f"{arn}:1"
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"Function not found: {arn}:5"):
        permission("t", Qualifier="5")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="policies for \\$LATEST"):
        permission("t", Qualifier="$LATEST")
    client.remove_permission(FunctionName=arn, StatementId="s")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="No policy is associated"):
        client.remove_permission(FunctionName=arn, StatementId="s")
    kept = json.loads(client.get_policy(FunctionName=arn, Qualifier="1")["Policy"])
    assert [each["Resource"] for each in kept["Statement"]] == [f"{arn}:1"]


def test_an_accepted_event_outlives_a_kill(own_emulator: Emulator) -> None:
    own_emulator.start()
    sqs, client = own_emulator.client("sqs"), own_emulator.client("lambda")
    sqs.create_queue(QueueName="late")
    source = """
import boto3, time
def handler(event, context):
    time.sleep(1)
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="late")["QueueUrl"], MessageBody="done")
"""
    client.invoke(FunctionName=function(client, source, Timeout=30), InvocationType="Event")
    own_emulator.kill()
    own_emulator.start()
    sqs = own_emulator.client("sqs")
    url = sqs.get_queue_url(QueueName="late")["QueueUrl"]
    assert until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages"))
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
