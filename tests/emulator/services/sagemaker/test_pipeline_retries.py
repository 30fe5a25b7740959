"""RetryPipelineExecution, the limit of executions, and selective execution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.engine.fakes import condition, equals, eventually, processing, training
from tests.emulator.services.sagemaker.pipeline_calls import Pipelines

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/Flights"
URI = {"Get": "Steps.A.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
CHAIN = [processing("A"), processing("B", arguments={"Environment": {"IN": URI}}), processing("C", "B")]


@pytest.fixture
def pipelines(tmp_path: Path) -> Iterator[Pipelines]:
    made = Pipelines(tmp_path, max_pipeline_executions=2)
    yield made
    made.close()


def retry(pipelines: Pipelines, arn: str, **members: Any) -> str:
    request = {"PipelineExecutionArn": arn, "ClientRequestToken": pipelines.token(), **members}
    return str(pipelines.call("RetryPipelineExecution", request)["PipelineExecutionArn"])


def statuses(pipelines: Pipelines, arn: str) -> dict[str, str]:
    return {step["StepName"]: step["StepStatus"] for step in pipelines.steps(arn, SortOrder="Ascending")}


def jobs(pipelines: Pipelines) -> list[str]:
    """The steps whose jobs were created, in order."""
    return [call["ProcessingJobName"].split("-")[2] for call in pipelines.sagemaker.made("CreateProcessingJob")]


def test_a_retry_keeps_what_succeeded(pipelines: Pipelines) -> None:
    pipelines.create(steps=CHAIN)
    pipelines.sagemaker.fates = {"B": "Failed"}
    arn = pipelines.start()
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Failed"
    pipelines.sagemaker.fates = {}
    token = pipelines.token()
    assert retry(pipelines, arn, ClientRequestToken=token) == arn
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert pipelines.describe(arn)["FailureReason"] is None
    assert statuses(pipelines, arn) == dict.fromkeys("ABC", "Succeeded")
    assert jobs(pipelines) == ["A", "B", "B", "C"]
    assert {it["StepName"]: it["AttemptCount"] for it in pipelines.steps(arn)} == {"A": 1, "B": 2, "C": 1}
    assert retry(pipelines, arn, ClientRequestToken=token) == arn, "the same request again does nothing"
    environment = pipelines.sagemaker.made("CreateProcessingJob")[2]["Environment"]
    assert environment == {"IN": f"s3://bucket/{arn.rpartition('/')[2]}/A"}


def test_a_stopped_execution_is_retried(pipelines: Pipelines) -> None:
    pipelines.create(steps=CHAIN)
    pipelines.sagemaker.fates = {"B": "hold"}
    arn = pipelines.start()
    eventually(lambda: statuses(pipelines, arn).get("B") == "Executing")
    pipelines.StopPipelineExecution(PipelineExecutionArn=arn, ClientRequestToken=pipelines.token())
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Stopped"
    pipelines.sagemaker.fates = {}
    retry(pipelines, arn, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    described = pipelines.wait(arn)
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}


def test_what_ran_because_of_the_failure_waits_for_it_again(pipelines: Pipelines) -> None:
    handler = processing("H", DependsOn=[{"Step": "A", "Trigger": "Failed"}])
    pipelines.create(steps=[processing("A"), handler, processing("After", "A"), processing("Other")])
    pipelines.sagemaker.fates = {"A": "Failed", "Other": "Failed"}
    arn = pipelines.start()
    pipelines.wait(arn)
    pipelines.sagemaker.fates = {}
    retry(pipelines, arn)
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(pipelines, arn) == dict.fromkeys(("A", "Other", "After"), "Succeeded")


def test_a_for_each_step_that_failed_runs_every_child_anew(pipelines: Pipelines) -> None:
    arguments = {"IterableItems": ["a", "b"], "MaxConcurrency": 1, "ForEachBody": [processing("Body")]}
    pipelines.create(steps=[{"Name": "Fan", "Type": "ForEach", "Arguments": arguments}, processing("After", "Fan")])
    pipelines.sagemaker.fates = {"Body-1": "Failed"}
    arn = pipelines.start()
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Failed"
    assert statuses(pipelines, arn) == {"Fan": "Failed", "Body-0": "Succeeded", "Body-1": "Failed"}
    pipelines.sagemaker.fates = {}
    retry(pipelines, arn)
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(pipelines, arn) == dict.fromkeys(("Fan", "Body-0", "Body-1", "After"), "Succeeded")
    assert {it["StepName"]: it["AttemptCount"] for it in pipelines.steps(arn)}["Body-1"] == 2


def test_only_what_failed_or_was_stopped_is_retried(pipelines: Pipelines) -> None:
    pipelines.create()
    arn = pipelines.start()
    pipelines.wait(arn)
    error = pipelines.fails("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=pipelines.token())
    assert (error.code, "is in status Succeeded" in error.message) == ("ValidationException", True)
    token = {"ClientRequestToken": pipelines.token()}
    assert pipelines.fails("RetryPipelineExecution", PipelineExecutionArn=f"{ARN}/execution/none", **token).code == (
        "ResourceNotFound"
    )


def test_executions_at_the_same_time_are_limited(pipelines: Pipelines) -> None:
    pipelines.create()
    pipelines.sagemaker.fates = {"A": "Failed"}
    failed = pipelines.start()
    pipelines.wait(failed)
    pipelines.sagemaker.fates = {"A": "hold"}
    running = [pipelines.start() for _ in range(2)]
    request = {"PipelineName": "Flights", "ClientRequestToken": pipelines.token()}
    error = pipelines.fails("StartPipelineExecution", **request)
    assert error.code == "ResourceLimitExceeded"
    assert "is 2 Executions, with current utilization of 2 Executions and a request delta of 1" in error.message
    again = {"PipelineExecutionArn": failed, "ClientRequestToken": pipelines.token()}
    assert pipelines.fails("RetryPipelineExecution", **again).code == "ResourceLimitExceeded"
    assert pipelines.describe(failed)["PipelineExecutionStatus"] == "Failed"
    pipelines.StopPipelineExecution(PipelineExecutionArn=running[0], ClientRequestToken=pipelines.token())
    pipelines.wait(running[0])
    assert pipelines.start(ClientRequestToken=request["ClientRequestToken"])


def test_a_token_of_another_request_is_a_conflict(pipelines: Pipelines) -> None:
    pipelines.create()
    token = pipelines.token()
    first = pipelines.start(ClientRequestToken=token)
    request = {"PipelineName": "Flights", "ClientRequestToken": token, "PipelineExecutionDescription": "another"}
    assert pipelines.fails("StartPipelineExecution", **request).code == "ConflictException"
    assert pipelines.start(ClientRequestToken=token) == first


def selective(*steps: str, source: str | None = None) -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": step} for step in steps]}
    return {"SelectiveExecutionConfig": config | ({"SourcePipelineExecutionArn": source} if source else {})}


def test_selected_steps_run_on_the_results_of_another_execution(pipelines: Pipelines) -> None:
    pipelines.create(steps=CHAIN)
    source = pipelines.start()
    pipelines.wait(source)
    arn = pipelines.start(**selective("B", source=source))
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(pipelines, arn) == {"A": "Succeeded", "B": "Succeeded"}, "C comes after what was selected"
    assert jobs(pipelines) == ["A", "B", "C", "B"]
    before, copied, own = pipelines.steps(source)[-1], *pipelines.steps(arn, SortOrder="Ascending")
    assert copied["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert copied["Metadata"] == before["Metadata"]
    assert "SelectiveExecutionResult" not in own
    environment = pipelines.sagemaker.made("CreateProcessingJob")[-1]["Environment"]
    assert environment == {"IN": f"s3://bucket/{source.rpartition('/')[2]}/A"}
    assert (
        pipelines.describe(arn)["SelectiveExecutionConfig"] == selective("B", source=source)["SelectiveExecutionConfig"]
    )


def test_a_failed_execution_may_be_the_source_and_none_is_needed_without_dependencies(pipelines: Pipelines) -> None:
    pipelines.create(steps=CHAIN)
    pipelines.sagemaker.fates = {"C": "Failed"}
    source = pipelines.start()
    pipelines.wait(source)
    pipelines.sagemaker.fates = {}
    after = pipelines.start(**selective("C", source=source))
    assert pipelines.wait(after)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(pipelines, after) == {"B": "Succeeded", "C": "Succeeded"}, "only what C itself waits for"
    first = pipelines.start(**selective("A", "B"))
    assert pipelines.wait(first)["PipelineExecutionStatus"] == "Succeeded"
    assert statuses(pipelines, first) == {"A": "Succeeded", "B": "Succeeded"}


def test_a_step_in_a_branch_runs_as_the_source_chose(pipelines: Pipelines) -> None:
    check = condition("Check", [equals(1, 1)], [processing("Yes")], [processing("No")])
    pipelines.create(steps=[check])
    source = pipelines.start()
    pipelines.wait(source)
    for step, expected in (("Yes", {"Check", "Yes"}), ("No", {"Check"})):
        arn = pipelines.start(**selective(step, source=source))
        assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"
        assert set(statuses(pipelines, arn)) == expected


def test_a_training_step_alone(pipelines: Pipelines) -> None:
    data = {"InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": URI}}}]}
    pipelines.create(steps=[processing("A"), training("T", arguments=data)])
    source = pipelines.start()
    pipelines.wait(source)
    arn = pipelines.start(**selective("T", source=source))
    pipelines.wait(arn)
    first, second = pipelines.sagemaker.made("CreateTrainingJob")
    assert first["InputDataConfig"] == second["InputDataConfig"]


@pytest.mark.parametrize(
    ("steps", "source", "reason"),
    [
        (("X",), None, "Invalid SelectedSteps: [X] are no steps of the pipeline. Its steps are [A, B, C]"),
        (("A", "C"), None, "all steps on the paths between selected steps must be selected. Missing: [B]"),
        (
            ("B", "C"),
            None,
            "Invalid SourcePipelineExecutionArn: null. The selected steps [B, C] have dependencies on [A]",
        ),
        (("C",), "failed", "The selected steps depend on [B], which did not succeed there."),
        (("C",), "other", "It is no execution of pipeline"),
        (("C",), "running", "It is in status Executing; only an execution that has ended can be referred to."),
        (("C",), "none", "does not exist"),
    ],
)
def test_wrong_selections_start_nothing(
    pipelines: Pipelines, steps: tuple[str, ...], source: str | None, reason: str
) -> None:
    pipelines.create(steps=CHAIN)
    pipelines.create("Other")
    sources = {"none": f"{ARN}/execution/none"}
    pipelines.sagemaker.fates = {"B": "Failed"}
    sources["failed"] = pipelines.start()
    sources["other"] = pipelines.start("Other")
    for arn in (sources["failed"], sources["other"]):
        pipelines.wait(arn)
    pipelines.sagemaker.fates = {"A": "hold"}
    sources["running"] = pipelines.start()
    request = {"PipelineName": "Flights", "ClientRequestToken": pipelines.token()}
    given = selective(*steps, source=sources[source] if source else None)
    assert reason in pipelines.fails("StartPipelineExecution", **request, **given).message
    assert len(pipelines.ListPipelineExecutions(PipelineName="Flights")["PipelineExecutionSummaries"]) == 2
