"""EventBridge of a running emulator: rules, targets, and the events of SageMaker."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import Runner, processing_step


class Bridge:
    """A rule with a queue as its target."""

    def __init__(self, emulator: Emulator, **target: Any) -> None:
        self.events, self.sqs = emulator.client("events"), emulator.client("sqs")
        self.name = f"r-{uuid.uuid4().hex[:8]}"
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.target = {"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:123456789012:{self.name}", **target}

    def on(self, pattern: dict[str, Any] | None = None, **rule: Any) -> Bridge:
        if pattern is not None:
            rule["EventPattern"] = json.dumps(pattern)
        self.events.put_rule(Name=self.name, **rule)
        answer = self.events.put_targets(Rule=self.name, Targets=[self.target])
        assert answer["FailedEntryCount"] == 0
        return self

    def received(self, number: int, seconds: float = 30) -> list[Any]:
        """The next events, in order."""
        found: list[Any] = []
        deadline = time.monotonic() + seconds
        while len(found) < number and time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) >= number, found
        return found

    def remove(self) -> None:
        self.events.remove_targets(Rule=self.name, Ids=["1"])
        self.events.delete_rule(Name=self.name)

    def put(self, **entry: Any) -> dict[str, Any]:
        entry = {"Source": "mine", "DetailType": "test", "Detail": '{"n": 1}'} | entry
        return self.events.put_events(Entries=[entry])


def test_an_event_that_matches_reaches_the_target(emulator: Emulator) -> None:
    source = uuid.uuid4().hex
    bridge = Bridge(emulator).on({"source": [source], "detail": {"n": [{"numeric": [">", 1]}]}})
    bridge.put(Source=source)
    event_id = bridge.put(Source=source, Detail='{"n": 2}', Resources=["arn:x"])["Entries"][0]["EventId"]
    (event,) = bridge.received(1)
    assert event["id"] == event_id
    assert event["detail"] == {"n": 2}
    assert (event["source"], event["detail-type"], event["account"]) == (source, "test", "123456789012")
    assert event["resources"] == ["arn:x"]
    bridge.events.disable_rule(Name=bridge.name)
    bridge.put(Source=source, Detail='{"n": 3}')
    assert "Messages" not in bridge.sqs.receive_message(QueueUrl=bridge.url, WaitTimeSeconds=1)
    bridge.remove()


def test_a_bus_is_deleted_once_it_has_no_rules(emulator: Emulator) -> None:
    events, name = emulator.client("events"), f"bus-{uuid.uuid4().hex[:8]}"
    events.create_event_bus(Name=name)
    events.put_rule(Name="r", EventBusName=name, EventPattern='{"source": ["x"]}')
    with pytest.raises(ClientError, match="EventBus can't be deleted since it has rules"):
        events.delete_event_bus(Name=name)
    events.delete_rule(Name="r", EventBusName=name)
    events.delete_event_bus(Name=name)
    assert name not in [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]


def test_an_input_is_transformed(emulator: Emulator) -> None:
    source = uuid.uuid4().hex
    transformer = {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '{"number": <n>, "text": "n is <n>"}'}
    bridge = Bridge(emulator, InputTransformer=transformer).on({"source": [source]})
    bridge.put(Source=source)
    assert bridge.received(1) == [{"number": 1, "text": "n is 1"}]
    bridge.remove()


def test_bad_entries_patterns_and_targets_are_refused(emulator: Emulator) -> None:
    bridge = Bridge(emulator)
    answer = bridge.events.put_events(
        Entries=[{"Source": "x", "DetailType": "y", "Detail": "no json"}, {"Source": "x", "DetailType": "y"}]
    )
    assert [entry["ErrorCode"] for entry in answer["Entries"]] == ["MalformedDetail", "InvalidArgument"]
    with pytest.raises(bridge.events.exceptions.InvalidEventPatternException):
        bridge.on({"source": []})
    with pytest.raises(ClientError, match="ScheduleExpression"):
        bridge.on(ScheduleExpression="rate(1 minutes)")
    bridge.target["Arn"] = "arn:aws:kinesis:us-east-1:123456789012:stream/x"
    with pytest.raises(ClientError, match="kinesis"):
        bridge.on({"source": ["x"]})
    with pytest.raises(bridge.events.exceptions.ResourceNotFoundException):
        bridge.events.describe_rule(Name="nothing")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"Input": "no json"}, "JSON syntax error in input for target 1."),
        ({"Input": "{}", "InputPath": "$"}, "Only one of Input, InputPath, or InputTransformer must be provided"),
        ({"InputTransformer": {"InputTemplate": "<none>"}}, "contains invalid placeholder none."),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}, "SqsParameters must be specified for target: 1."),
    ],
)
def test_targets_that_eventbridge_refuses(emulator: Emulator, target: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        Bridge(emulator, **target).on({"source": ["x"]})


def test_a_pattern_is_tested(emulator: Emulator) -> None:
    events = emulator.client("events")
    event = {"id": "1", "account": "1", "source": "a", "time": "t", "region": "r", "resources": [], "detail-type": "d"}
    pattern = '{"source": [{"prefix": "a"}]}'
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is True


def lambda_less(name: str = "Fail") -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "as planned"}}


def test_the_statuses_of_executions_and_steps_are_events(emulator: Emulator, runner: Runner) -> None:
    name = f"events-{uuid.uuid4().hex[:8]}"
    arn = runner.create(lambda_less(), name=name)
    detail = {"detail": {"pipelineArn": [arn]}}
    bridge = Bridge(emulator).on({"source": ["aws.sagemaker"], **detail})
    execution = runner.start(name)
    events = bridge.received(4)
    bridge.remove()
    executions = [event for event in events if event["detail-type"].endswith("Execution Status Change")]
    steps = [event for event in events if event["detail-type"].endswith("Step Status Change")]
    assert [event["detail"]["currentPipelineExecutionStatus"] for event in executions] == ["Executing", "Failed"]
    assert executions[1]["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert executions[1]["resources"] == [arn, execution]
    assert "executionEndTime" in executions[1]["detail"]
    assert [event["detail"]["currentStepStatus"] for event in steps] == ["Starting", "Failed"]
    assert steps[1]["detail"]["stepName"] == "Fail"
    assert steps[1]["detail"]["stepType"] == "Fail"
    assert "as planned" in steps[1]["detail"]["failureReason"]
    assert steps[1]["detail"]["metadata"] == {"fail": {"errorMessage": "as planned"}}


def test_an_approval_is_an_event_that_starts_a_pipeline_with_its_values(emulator: Emulator, runner: Runner) -> None:
    name, group = f"deploy-{uuid.uuid4().hex[:8]}", f"group-{uuid.uuid4().hex[:8]}"
    message = {"Get": "Parameters.Version"}
    step = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    arn = runner.create(step, name=name, parameters=[{"Name": "Version", "Type": "String"}])
    parameters = {"PipelineParameterList": [{"Name": "Version", "Value": "$.detail.ModelPackageArn"}]}
    bridge = Bridge(emulator, Arn=arn, SageMakerPipelineParameters=parameters, RoleArn="arn:aws:iam::1:role/r")
    bridge.on({
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
    })  # fmt: skip
    sagemaker = runner.sagemaker
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    list_executions = lambda: sagemaker.list_pipeline_executions(PipelineName=name)  # noqa: E731
    (execution,) = until(lambda: list_executions()["PipelineExecutionSummaries"])
    bridge.remove()
    runner.ended(execution["PipelineExecutionArn"])
    assert package in runner.steps(execution["PipelineExecutionArn"])["Fail"]["FailureReason"]


def test_a_schedule_fires_and_events_outlive_a_kill(own_emulator: Emulator) -> None:
    own_emulator.start()
    bridge = Bridge(own_emulator).on({"detail-type": [{"suffix": "Execution Status Change"}]})
    runner = Runner(own_emulator)
    runner.create(lambda_less(), name="killed")
    executions = {runner.start("killed") for _ in range(10)}
    own_emulator.kill()
    own_emulator.start()
    bridge.sqs = own_emulator.client("sqs")
    bridge.url = bridge.sqs.get_queue_url(QueueName=bridge.name)["QueueUrl"]
    events = bridge.received(20)
    seen = [(event["detail"]["pipelineExecutionArn"], event["detail"]["currentPipelineExecutionStatus"])
            for event in events]  # fmt: skip
    assert sorted(seen) == sorted((arn, status) for arn in executions for status in ("Executing", "Failed"))


def test_the_event_of_a_step_from_the_cache_names_its_source(emulator: Emulator, runner: Runner) -> None:
    name = f"cached-{uuid.uuid4().hex[:8]}"
    runner.upload("print('done')", f"code/{name}.py")
    step = processing_step("Work", f"code/{name}.py") | {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    arn = runner.create(step, name=name)
    first = runner.start(name)
    runner.ended(first)
    bridge = Bridge(emulator).on({"detail": {"pipelineArn": [arn], "currentStepStatus": ["Succeeded"]}})
    second = runner.start(name)
    (event,) = bridge.received(1)
    bridge.remove()
    assert event["detail"]["pipelineExecutionArn"] == second
    assert event["detail"]["cacheHitResult"] == {"sourcePipelineExecutionArn": first}
    assert event["detail"]["metadata"]["processingJob"]["arn"]
