"""EventBridge Scheduler of a running emulator."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import ROLE, Runner

OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def scheduler(emulator: Emulator) -> Any:
    return emulator.client("scheduler")


@pytest.fixture
def pipeline(runner: Runner) -> str:
    step = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.Text"}}}
    parameters = [{"Name": "Text", "Type": "String", "DefaultValue": "default"}]
    return runner.create(step, name=f"scheduled-{uuid.uuid4().hex[:8]}", parameters=parameters)


def executions(runner: Runner, pipeline: str) -> list[dict[str, Any]]:
    return runner.sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]


def soon() -> str:
    return f"at({(datetime.now(UTC) + timedelta(seconds=2)).strftime('%Y-%m-%dT%H:%M:%S')})"


def test_a_pipeline_starts_at_its_time_and_the_schedule_goes(scheduler: Any, runner: Runner, pipeline: str) -> None:
    name = uuid.uuid4().hex
    parameters = {"PipelineParameterList": [{"Name": "Text", "Value": "given"}]}
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=soon(),
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1},
        ActionAfterCompletion="DELETE",
        Target={"Arn": pipeline, "RoleArn": ROLE, "SageMakerPipelineParameters": parameters},
    )
    (execution,) = until(lambda: executions(runner, pipeline))
    runner.ended(execution["PipelineExecutionArn"])
    assert "given" in runner.steps(execution["PipelineExecutionArn"])["Fail"]["FailureReason"]
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name=name)


def test_a_universal_target_calls_any_operation(scheduler: Any, runner: Runner, pipeline: str) -> None:
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
        "RoleArn": ROLE,
        "Input": f'{{"PipelineName": "{pipeline.rpartition("/")[2]}"}}',
    }
    name = uuid.uuid4().hex
    scheduler.create_schedule(Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target)
    assert until(lambda: executions(runner, pipeline))  # a rate without a start date begins at once
    scheduler.delete_schedule(Name=name)


def test_a_queue_without_an_input_gets_the_default_notification(scheduler: Any, emulator: Emulator) -> None:
    name, sqs = uuid.uuid4().hex, emulator.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    target = {"Arn": queue, "RoleArn": ROLE}
    arn = scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 hours)", FlexibleTimeWindow=OFF, Target=target
    )["ScheduleArn"]
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    told = json.loads(message["Body"])
    assert (told["source"], told["detail-type"], told["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert told["resources"] == [arn]
    scheduler.delete_schedule(Name=name)


def test_a_schedule_is_kept_changed_listed_and_deleted(scheduler: Any, pipeline: str) -> None:
    name, group = uuid.uuid4().hex, uuid.uuid4().hex
    scheduler.create_schedule_group(Name=group)
    start = datetime(2090, 1, 1, tzinfo=UTC)
    request = {
        "Name": name,
        "GroupName": group,
        "ScheduleExpression": "cron(0 12 ? * MON-FRI *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "StartDate": start,
        "FlexibleTimeWindow": OFF,
        "Target": {"Arn": pipeline, "RoleArn": ROLE, "SageMakerPipelineParameters": {}},
    }
    arn = scheduler.create_schedule(**request)["ScheduleArn"]
    assert arn.endswith(f"schedule/{group}/{name}")
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule(**request)
    named = {**request, "Name": uuid.uuid4().hex, "ClientToken": uuid.uuid4().hex}
    assert scheduler.create_schedule(**named)["ScheduleArn"] == scheduler.create_schedule(**named)["ScheduleArn"]
    scheduler.delete_schedule(Name=named["Name"], GroupName=group)
    assert scheduler.get_schedule(Name=name, GroupName=group)["StartDate"] == start
    scheduler.update_schedule(**{**request, "State": "DISABLED"})
    (listed,) = scheduler.list_schedules(GroupName=group)["Schedules"]
    assert (listed["Name"], listed["State"], listed["Target"]["Arn"]) == (name, "DISABLED", pipeline)
    scheduler.delete_schedule_group(Name=group)
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name=name, GroupName=group)


def test_groups_have_tags_and_are_listed_in_pages(scheduler: Any) -> None:
    arn = scheduler.create_schedule_group(Name="tagged", Tags=[{"Key": "a", "Value": "b"}])["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    first = scheduler.list_schedule_groups(MaxResults=1)
    rest = scheduler.list_schedule_groups(NextToken=first["NextToken"])
    names = [group["Name"] for page in (first, rest) for group in page["ScheduleGroups"]]
    assert {"default", "tagged"} <= set(names)
    assert names == sorted(names)
    scheduler.delete_schedule_group(Name="tagged")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException, match="tagged does not exist"):
        scheduler.list_tags_for_resource(ResourceArn=arn)


def test_bad_expressions_are_refused(scheduler: Any, pipeline: str) -> None:
    target = {"Arn": pipeline, "RoleArn": ROLE}
    for expression in ("rate(0 hours)", "cron(0 12 * * MON *)", "tomorrow"):
        with pytest.raises(scheduler.exceptions.ValidationException, match="Invalid Schedule Expression"):
            scheduler.create_schedule(Name="bad", ScheduleExpression=expression, FlexibleTimeWindow=OFF, Target=target)


def test_a_schedule_cannot_start_in_the_past(scheduler: Any, pipeline: str) -> None:
    target = {"Arn": pipeline, "RoleArn": ROLE}
    request = {"Name": "late", "ScheduleExpression": "rate(1 days)", "FlexibleTimeWindow": OFF, "Target": target}
    with pytest.raises(scheduler.exceptions.ValidationException, match="cannot be earlier than 5 minutes ago"):
        scheduler.create_schedule(StartDate=time.time() - 400, **request)


def test_a_flexible_window_needs_its_length(scheduler: Any, pipeline: str) -> None:
    target = {"Arn": pipeline, "RoleArn": ROLE}
    window = {"Mode": "FLEXIBLE"}
    with pytest.raises(scheduler.exceptions.ValidationException, match="MaximumWindowInMinutes"):
        scheduler.create_schedule(
            Name="bad", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=window, Target=target
        )


def test_put_triggers_of_the_sdk_uses_it_so(scheduler: Any, pipeline: str) -> None:
    """Update first, create when it is not there, as ``Pipeline.put_triggers`` of SDK v3 does."""
    request = {
        "Name": uuid.uuid4().hex,
        "ScheduleExpression": "rate(5 minutes)",
        "FlexibleTimeWindow": OFF,
        "Target": {"Arn": pipeline, "SageMakerPipelineParameters": {}, "RoleArn": ROLE},
        "State": "ENABLED",
        "StartDate": datetime.now(UTC),
    }
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.update_schedule(**request)
    arn = scheduler.create_schedule(**request)["ScheduleArn"]
    assert scheduler.update_schedule(**request)["ScheduleArn"] == arn
    scheduler.delete_schedule(Name=request["Name"])
