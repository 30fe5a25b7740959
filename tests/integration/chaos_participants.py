"""Whoever takes part in an execution from outside: people who stop or retry it, and a worker behind a queue."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.chaos import Victim, eventually
from tests.integration.small_pipelines import BUCKET

QUEUE = "chaos"


def nothing(victim: Victim, execution: str) -> None:
    """Most executions need nobody."""


def stop_when_it_runs(victim: Victim, execution: str) -> None:
    """Stop an execution once its first step executes."""

    def executing() -> bool:
        steps = victim.call("sagemaker", "list_pipeline_execution_steps", PipelineExecutionArn=execution)
        return any(step["StepStatus"] == "Executing" for step in steps["PipelineExecutionSteps"])

    eventually(executing)
    request = {"PipelineExecutionArn": execution, "ClientRequestToken": _token("stop", execution)}
    victim.call("sagemaker", "stop_pipeline_execution", **request)


def repair_and_retry(victim: Victim, execution: str) -> None:
    """Once the execution has failed, put there what it lacks and retry it."""

    def failed() -> bool:
        found = victim.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=execution)
        return str(found["PipelineExecutionStatus"]) == "Failed"

    eventually(failed)
    victim.call("s3", "put_object", Bucket=BUCKET, Key=f"markers/{execution.rpartition('/')[2]}", Body=b"")
    request = {"PipelineExecutionArn": execution, "ClientRequestToken": _token("retry", execution)}
    victim.call("sagemaker", "retry_pipeline_execution", **request)


def answer_callback(victim: Victim, execution: str) -> None:
    """Receive the message of the callback step, report success with its token, delete the message."""
    queue = victim.call("sqs", "get_queue_url", QueueName=QUEUE)["QueueUrl"]

    def received() -> Any:
        return victim.call("sqs", "receive_message", QueueUrl=queue, VisibilityTimeout=1).get("Messages")

    message = eventually(received)[0]
    body = json.loads(message["Body"])
    assert body["pipelineExecutionArn"] == execution, "a message of an earlier execution came twice"
    victim.call(
        "sagemaker",
        "send_pipeline_execution_step_success",
        CallbackToken=body["token"],
        OutputParameters=[{"Name": "answer", "Value": "42"}],
        ClientRequestToken=_token("done", execution),
    )
    victim.call("sqs", "delete_message", QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def unanswered(victim: Victim) -> int:
    """Messages that nobody should have sent."""
    queue = victim.call("sqs", "get_queue_url", QueueName=QUEUE)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = victim.call("sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _token(what: str, execution: str) -> str:
    return f"{what}-{execution.rpartition('/')[2]}".ljust(32, "x")
