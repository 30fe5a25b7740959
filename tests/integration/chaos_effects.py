"""What executions do to the world outside, counted: calls of a function, and the events of their transitions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.integration.chaos import Victim
from tests.integration.functions import zipped
from tests.integration.small_pipelines import BUCKET, ENDED, ROLE

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:chaos"
TRANSITIONS, TOLD = "chaos-transitions", "chaos-told"
"""Queues: EventBridge delivers to the one itself, to the other by a topic."""
SOURCE = f"""
import time, uuid
import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError, HTTPClientError
def leave(s3, key):
    while True:
        try:
            return s3.put_object(Bucket="{BUCKET}", Key=key)
        except (ConnectionError, HTTPClientError):  # there is no emulator at this moment
            time.sleep(0.1)
def handler(event, context):
    s3 = boto3.client("s3", config=Config(retries={{"total_max_attempts": 1}}))
    leave(s3, f"calls/{{event['execution']}}/begun-{{uuid.uuid4()}}")
    time.sleep(0.2)
    leave(s3, f"calls/{{event['execution']}}/done-{{uuid.uuid4()}}")
    return {{"half": event["number"] / 2}}
"""


def prepare(victim: Victim) -> None:
    """A function whose calls are counted, and two ways for the events of all executions to a queue each."""
    victim.call(
        "lambda",
        "create_function",
        FunctionName="chaos",
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Timeout=60,
        Code={"ZipFile": zipped(SOURCE)},
    )
    arns = [f"arn:aws:sqs:us-east-1:123456789012:{queue}" for queue in (TRANSITIONS, TOLD)]
    for queue in (TRANSITIONS, TOLD):
        victim.call("sqs", "create_queue", QueueName=queue)
    topic = victim.call("sns", "create_topic", Name=TOLD)["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    victim.call("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arns[1], Attributes=raw)
    pattern = {"source": ["aws.sagemaker"], "detail-type": [{"prefix": "SageMaker Model Building Pipeline Execution"}]}
    victim.call("events", "put_rule", Name=TRANSITIONS, EventPattern=json.dumps(pattern))
    targets = [{"Id": "queue", "Arn": arns[0]}, {"Id": "topic", "Arn": topic}]
    victim.call("events", "put_targets", Rule=TRANSITIONS, Targets=targets)


def is_interrupted(outcome: Mapping[str, Any]) -> bool:
    """Whether a function died with the machine, and its step says so."""
    return any("Sandbox.Interrupted" in step.get("FailureReason", "") for step in outcome["steps"].values())


def wrong_calls(victim: Victim, executions: list[str], interrupted: set[str]) -> list[str]:
    """Executions whose function was not called to its end exactly once; ``interrupted`` ones at most once."""
    pages = victim.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="calls/")
    found: dict[str, Counter[str]] = {}
    for item in (item for page in pages for item in page.get("Contents", [])):
        _, execution, what = item["Key"].split("/")
        found.setdefault(execution, Counter())[what.partition("-")[0]] += 1
    once, wrong = Counter(begun=1, done=1), []
    for arn in executions:
        name = arn.rpartition("/")[2]
        ran = found.get(name, Counter())
        if not (ran <= once if arn in interrupted else ran == once):
            wrong.append(f"the function of {name} ran so: {dict(ran)}")
    return wrong


Transitions = Counter[tuple[str, str]]
"""Names of steps, empty for the execution itself, with the statuses that they came to."""


def transitions(victim: Victim, name: str) -> dict[str, Transitions]:
    """All events that have come to a queue, by execution."""
    queue = victim.call("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
    found: dict[str, Transitions] = {}
    while messages := victim.call(
        "sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=43_200
    ).get("Messages"):
        for message in messages:
            detail = json.loads(message["Body"])["detail"]
            found.setdefault(detail["pipelineExecutionArn"], Counter())[_transition(detail)] += 1
    return found


def _transition(detail: Mapping[str, Any]) -> tuple[str, str]:
    if "stepName" in detail:
        return str(detail["stepName"]), str(detail["currentStepStatus"])
    return "", str(detail["currentPipelineExecutionStatus"])


def wrong_transitions(calm: Transitions, found: Transitions) -> list[str]:
    """Events that came too often, or did not come though they tell of an end. A step that a crash met while it was
    launched may be found when it has ended, without having been Executing.
    """
    return [
        f"{name or 'the execution'} became {status} {found[name, status]} times and not {wanted}"
        for (name, status), wanted in (calm | found).items()
        if found[name, status] > calm[name, status] or (status in ENDED and found[name, status] < wanted)
    ]
