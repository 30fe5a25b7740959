from __future__ import annotations

import sqlite3
import threading
from typing import Any

import pytest

from emulator.aws.errors import ResourceLimitExceeded, ValidationException
from emulator.engine.transitions import STEP_FAILURE
from emulator.store.resources import Resource
from tests.emulator.engine.fakes import (
    World,
    condition,
    equals,
    eventually,
    fail,
    processing,
    register,
    training,
)

JOB_NAME = {"Get": "Steps.A.ProcessingJobName"}


def test_a_chain_runs_in_order_and_succeeds(world: World) -> None:
    arn = world.start([processing("C", "B"), processing("B", "A"), processing("A")])
    assert world.wait(arn).status == "Succeeded"
    assert list(world.statuses(arn).items()) == [("A", "Succeeded"), ("B", "Succeeded"), ("C", "Succeeded")]
    steps = world.steps(arn)
    assert steps["A"].metadata == {"ProcessingJob": {"Arn": world.sagemaker.job("A").arn}}
    assert steps["A"].ended is not None
    assert steps["A"].started <= steps["A"].ended <= steps["B"].started
    assert steps["A"].attempt == 1


def test_properties_flow_with_their_executed_values(world: World) -> None:
    uri = {"Get": "Steps.A.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
    train = training("T", arguments={"HyperParameters": {"depth": {"Get": "Parameters.Depth"}, "data": uri}})
    model = {"Get": "Steps.T.ModelArtifacts.S3ModelArtifacts"}
    package = {"InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": model}]}}
    declared = [{"Name": "Depth", "Type": "Integer", "DefaultValue": 3}]
    arn = world.start(
        [processing("A"), train, register("R", arguments=package)], parameters=declared, given={"Depth": "6"}
    )
    assert world.wait(arn).status == "Succeeded"
    (request,) = world.sagemaker.made("CreateTrainingJob")
    execution = world.execution(arn).name
    assert request["HyperParameters"] == {"depth": "6", "data": f"s3://bucket/{execution}/A"}
    assert request["ResourceConfig"]["InstanceCount"] == 1
    assert request["TrainingJobName"].startswith(f"pipelines-{execution}-T-")
    (registered,) = world.sagemaker.made("CreateModelPackage")
    (container,) = registered["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == f"s3://bucket/models/{request['TrainingJobName']}/output/model.tar.gz"
    package_arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/models/1"
    assert world.steps(arn)["R"].metadata == {"RegisterModel": {"Arn": package_arn}}


def test_a_missing_group_is_made_and_a_known_one_kept(world: World) -> None:
    for _ in range(2):
        world.wait(world.start([register("R", "flights")]))
    assert [call["ModelPackageGroupName"] for call in world.sagemaker.made("CreateModelPackageGroup")] == ["flights"]
    assert len(world.resources.with_status("model-package", "Completed")) == 2


def test_a_custom_job_prefix_and_the_jobs_own_name(world: World) -> None:
    environment = {"NAME": {"Get": "Execution.ProcessingJobName"}}
    arn = world.start([processing("A", arguments={"ProcessingJobName": "nightly", "Environment": environment})])
    world.wait(arn)
    (request,) = world.sagemaker.made("CreateProcessingJob")
    assert request["ProcessingJobName"].startswith(f"nightly-{world.execution(arn).name}-")
    assert request["Environment"] == {"NAME": request["ProcessingJobName"]}


def test_a_job_prefix_may_be_a_number(world: World) -> None:
    arn = world.start(
        [processing("A", arguments={"ProcessingJobName": {"Get": "Parameters.Night"}})],
        parameters=[{"Name": "Night", "Type": "Integer", "DefaultValue": 7}],
    )
    assert world.wait(arn).status == "Succeeded"
    assert world.sagemaker.made("CreateProcessingJob")[0]["ProcessingJobName"].startswith("7-")


def test_independent_steps_run_at_the_same_time(world: World) -> None:
    world.sagemaker.fates = dict.fromkeys("ABC", "hold")
    arn = world.start([*map(processing, "ABC"), processing("D", "A", "B", "C")])
    world.wait_for(arn, A="Executing", B="Executing", C="Executing")
    for step in "BCA":
        assert "D" not in world.statuses(arn)
        world.sagemaker.end(step)
    assert world.wait(arn).status == "Succeeded"


def test_parallelism_is_limited_and_can_be_raised(world: World) -> None:
    world.sagemaker.fates = dict.fromkeys("ABCDE", "hold")
    arn = world.start([*map(processing, "ABCDE")], limit=2)
    world.wait_for(arn, A="Executing", B="Executing")
    assert set(world.statuses(arn)) == {"A", "B"}
    world.sagemaker.end("B")
    world.wait_for(arn, C="Executing")
    assert set(world.statuses(arn)) == {"A", "B", "C"}
    world.resources.update(arn, lambda it: it.body.update(ParallelismConfiguration={"MaxParallelExecutionSteps": 3}))
    world.engine.refresh(arn)
    world.wait_for(arn, D="Executing")
    for step in "ACD":
        world.sagemaker.end(step)
    world.wait_for(arn, E="Executing")
    world.sagemaker.end("E")
    assert world.wait(arn).status == "Succeeded"


@pytest.mark.parametrize(("value", "runs", "outcome"), [(1, "Yes", "True"), (2, "No", "False")])
def test_a_condition_chooses_its_branch(world: World, value: int, runs: str, outcome: str) -> None:
    check = condition("Check", [equals(value, 1), equals("a", "a")], [processing("Yes")], [processing("No")])
    arn = world.start([check, processing("After", "No"), processing("Then", "Check")])
    assert world.wait(arn).status == "Succeeded"
    expected = {"Check", runs, "Then"} | ({"After"} if runs == "No" else set())
    assert set(world.statuses(arn)) == expected, "steps that do not run are not listed"
    assert world.steps(arn)["Check"].metadata == {"Condition": {"Outcome": outcome}}


def test_a_condition_on_a_property_file(world: World) -> None:
    report = {"PropertyFileName": "R", "OutputName": "out", "FilePath": "evaluation.json"}
    auc = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.R"}, "Path": "auc.value"}}
    check = condition("Check", [{"Type": "GreaterThan", "LeftValue": auc, "RightValue": 0.5}], [processing("Yes")])
    arn = world.store([processing("E", PropertyFiles=[report]), check])
    world.objects.files[f"s3://bucket/{world.execution(arn).name}/E/evaluation.json"] = b'{"auc": {"value": 0.9}}'
    world.engine.start(arn)
    assert world.wait(arn).status == "Succeeded"
    assert "Yes" in world.statuses(arn)


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        (
            {"Std:JsonGet": {"S3Uri": "s3://bucket/none.json", "Path": "auc"}},
            "ClientError: Unable to resolve s3://bucket/none.json: it cannot be read: NoSuchKey:"
            " The specified key does not exist.",
        ),
        ("3", "ClientError: Unable to resolve condition Equals: the string 3 cannot be compared with the number 3"),
    ],
)
def test_a_condition_that_cannot_be_told_fails_and_chooses_nothing(world: World, left: Any, reason: str) -> None:
    arn = world.start([condition("Check", [equals(left, 3)], [processing("Yes")], [processing("No")])])
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"Check": "Failed"}
    assert world.steps(arn)["Check"].reason == reason


def test_a_fail_step_ends_the_execution_with_its_message(world: World) -> None:
    message = {"Std:Join": {"On": ": ", "Values": ["outcome", {"Get": "Steps.Check.Outcome"}]}}
    arn = world.start([condition("Check", [equals(1, 2)], [], [fail("Bad", message)]), processing("Late", "Check")])
    execution = world.wait(arn)
    assert (execution.status, execution.body["FailureReason"]) == ("Failed", STEP_FAILURE)
    bad = world.steps(arn)["Bad"]
    assert (bad.status, bad.reason) == ("Failed", "outcome: false")
    assert bad.metadata == {"Fail": {"ErrorMessage": "outcome: false"}}
    assert "Late" not in world.statuses(arn)


def test_a_failed_job_fails_its_step_and_the_execution(world: World) -> None:
    world.sagemaker.fates = {"A": "Failed"}
    arn = world.start([processing("A"), processing("B", "A")])
    execution = world.wait(arn)
    assert (execution.status, execution.body["FailureReason"]) == ("Failed", STEP_FAILURE)
    assert world.statuses(arn) == {"A": "Failed"}
    assert world.steps(arn)["A"].reason == "ClientError: AlgorithmError: , exit code: 1"
    assert world.steps(arn)["A"].metadata == {"ProcessingJob": {"Arn": world.sagemaker.job("A").arn}}


def test_peers_of_a_failed_step_finish_but_nothing_new_starts(world: World) -> None:
    world.sagemaker.fates = {"Bad": "hold", "Peer": "hold"}
    arn = world.start([processing("Bad"), processing("Peer"), processing("After", "Peer")])
    world.wait_for(arn, Bad="Executing", Peer="Executing")
    world.sagemaker.end("Bad", "Failed")
    world.wait_for(arn, Bad="Failed")
    assert world.execution(arn).status == "Executing"
    world.sagemaker.end("Peer")
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"Bad": "Failed", "Peer": "Succeeded"}


def test_peers_of_a_failed_step_are_stopped_if_so_set(tmp_path: Any) -> None:
    world = World(tmp_path, peers_on_failure="stop")
    world.sagemaker.fates = {"Bad": "hold", "Peer": "hold"}
    arn = world.start([processing("Bad"), processing("Peer")])
    world.wait_for(arn, Bad="Executing", Peer="Executing")
    world.sagemaker.end("Bad", "Failed")
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"Bad": "Failed", "Peer": "Stopped"}
    world.close()


def test_a_refused_request_fails_the_step_in_awss_words(world: World) -> None:
    world.sagemaker.refuse["CreateProcessingJob"] = ValidationException("Could not access image.")
    arn = world.start([processing("A")])
    assert world.wait(arn).status == "Failed"
    step = world.steps(arn)["A"]
    assert step.reason == (
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: Could not access image."
    )
    assert step.metadata == {}


def test_a_resource_limit_says_that_nothing_is_retried(world: World) -> None:
    world.sagemaker.refuse["CreateTrainingJob"] = ResourceLimitExceeded("The account-level service limit is 0.")
    arn = world.start([training("A")])
    world.wait(arn)
    assert world.steps(arn)["A"].reason.endswith(
        f"\nRetry not appropriate on execution of step with PipelineExecutionArn {arn} and StepId A."
        " No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."
    )


def test_long_reasons_are_cut_to_what_the_api_allows(world: World) -> None:
    world.sagemaker.refuse["CreateProcessingJob"] = ValidationException("x" * 5000)
    arn = world.start([processing("A")])
    world.wait(arn)
    assert len(world.steps(arn)["A"].reason) == 1024


def test_half_a_character_in_a_reason_is_no_fault_of_ours(world: World) -> None:
    world.sagemaker.refuse["CreateProcessingJob"] = ValidationException("half \ud83d of a face")
    arn = world.start([processing("A")])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["A"].reason.endswith("half ? of a face")


def test_a_fault_of_ours_fails_the_step_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(world.sagemaker, "_CreateProcessingJob", lambda request: {}["ProcessingJobArn"])
    arn = world.start([processing("A")])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["A"].reason.startswith("InternalServerError: KeyError: 'ProcessingJobArn'")
    assert "a fault of the emulator" in caplog.text


def test_a_job_that_somebody_stops_stops_its_step_and_fails_the_execution(world: World) -> None:
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A")])
    world.wait_for(arn, A="Executing")
    world.sagemaker.end("A", "Stopped")
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"A": "Stopped"}
    assert "was stopped, by its time limit or by a stop request" in world.steps(arn)["A"].reason


def test_stop_ends_running_jobs_and_starts_nothing_new(world: World) -> None:
    world.sagemaker.fates = {"A": "hold", "B": "hold"}
    arn = world.start([processing("A"), processing("B"), processing("C", "A")])
    world.wait_for(arn, A="Executing", B="Executing")
    world.engine.stop(arn)
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Stopped", "B": "Stopped"}
    assert "FailureReason" not in world.execution(arn).body
    assert len(world.sagemaker.made("StopProcessingJob")) == 2


def test_a_stopping_execution_waits_for_its_jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sagemaker.fates = {"A": "hold"}
    monkeypatch.setattr(world.sagemaker, "_StopProcessingJob", lambda request: {})
    arn = world.start([processing("A")])
    world.wait_for(arn, A="Executing")
    world.engine.stop(arn)
    world.wait_for(arn, A="Stopping")
    assert world.execution(arn).status == "Stopping"
    world.sagemaker.end("A", "Completed")
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Succeeded"}, "a job that was faster than the stop has succeeded"


def test_a_stop_that_comes_too_late_finds_the_job_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A"), processing("B", "A")])
    world.wait_for(arn, A="Executing")

    def ended(request: dict[str, Any]) -> dict[str, Any]:
        world.sagemaker.end("A", "Completed")
        raise ValidationException("The request was rejected because the job is in status Completed.")

    monkeypatch.setattr(world.sagemaker, "_StopProcessingJob", ended)
    world.engine.stop(arn)
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Succeeded"}


def test_stop_of_an_ended_execution_changes_nothing(world: World) -> None:
    arn = world.start([processing("A")])
    world.wait(arn)
    world.engine.stop(arn)
    later = world.start([processing("B")])
    world.wait(later)
    assert world.execution(arn).status == "Succeeded"


def test_an_execution_keeps_the_definition_it_started_with(world: World) -> None:
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A"), processing("Old", "A")])
    world.wait_for(arn, A="Executing")
    other = world.start([processing("New")])
    world.wait(other)
    world.sagemaker.end("A")
    assert world.wait(arn).status == "Succeeded"
    assert (set(world.statuses(arn)), set(world.statuses(other))) == ({"A", "Old"}, {"New"})


def test_images_are_prepared_when_an_execution_starts(world: World) -> None:
    train = training("T", arguments={"AlgorithmSpecification": {"TrainingImage": {"Get": "Parameters.Image"}}})
    late = processing("L", arguments={"AppSpecification": {"ImageUri": JOB_NAME}})
    declared = [{"Name": "Image", "Type": "String", "DefaultValue": "xgboost:1"}]
    world.wait(world.start([processing("A"), processing("B"), train, late], parameters=declared))
    assert world.sagemaker.warmed == ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/processing:1", "xgboost:1"]


def test_twenty_executions_at_the_same_time(world: World) -> None:
    world.sagemaker.fates = {"B": "hold"}
    arns = [world.start([processing("A"), processing("B", "A"), processing("C", "B")]) for _ in range(20)]
    for arn in arns:
        world.wait_for(arn, B="Executing")
    for job in world.resources.with_status("processing-job", "InProgress"):
        world.resources.update(job.arn, lambda it: setattr(it, "status", "Completed"))
    assert {world.wait(arn).status for arn in arns} == {"Succeeded"}


def test_a_failing_disk_delays_but_does_not_lose(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.engine.engine._RETRY_SECONDS", 0.01)
    change, failures = world.engine.store.change, [sqlite3.OperationalError("database or disk is full")] * 3

    def full(*arguments: Any, **members: Any) -> None:
        if failures:
            raise failures.pop()
        change(*arguments, **members)

    monkeypatch.setattr(world.engine.store, "change", full)
    arn = world.start([processing("A"), processing("B", "A")])
    assert world.wait(arn).status == "Succeeded"
    assert len(world.sagemaker.made("CreateProcessingJob")) == 2


def test_a_fault_of_ours_ends_the_execution_instead_of_leaving_it_hanging(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A"), processing("B", "A")])
    world.wait_for(arn, A="Executing")

    def broken(execution: Any, step: str) -> None:
        raise KeyError(step)

    monkeypatch.setattr(world.engine._runner, "follow", broken)
    world.sagemaker.end("A")
    execution = world.wait(arn)
    assert (execution.status, execution.body["FailureReason"]) == ("Failed", "InternalServerError: KeyError: 'A'")
    assert world.statuses(arn) == {"A": "Failed"}
    monkeypatch.undo()
    assert world.wait(world.start([processing("C")])).status == "Succeeded", "others go on"


def test_other_resources_do_not_disturb(world: World) -> None:
    world.resources.insert(Resource(scope_of(world), "training-job", "x", "arn:x", {}, status="InProgress"))
    world.resources.update("arn:x", lambda it: setattr(it, "status", "Completed"))
    arn = world.start([processing("A")])
    assert world.wait(arn).status == "Succeeded"


def scope_of(world: World) -> Any:
    return world.execution(world.store([processing("A")])).scope


def test_a_chain_costs_the_same_per_step_however_long(world: World) -> None:
    """Counted in statements, not in time: the work per step must not grow with the length of the chain."""
    counts = []
    for size in (20, 200):
        chain = [processing(f"S{i}", *([f"S{i - 1}"] if i else [])) for i in range(size)]
        before = len(world.sagemaker.calls)
        world.wait(world.start(chain))
        counts.append((len(world.sagemaker.calls) - before) / size)
    assert counts[0] == counts[1] == 2, "one Create and one Describe per step"
    eventually(lambda: not world.engine._executions)
    assert world.engine._runner.steps_by_arn == {}, "nothing of an ended execution stays in memory"


def test_a_stop_that_came_too_late_does_not_stop_the_retry(world: World) -> None:
    world.sagemaker.fates = {"A": "Failed"}
    arn = world.start([processing("A")])
    assert world.wait(arn).status == "Failed"
    world.sagemaker.fates = {}
    gate = threading.Event()

    def busy() -> None:
        gate.wait(20)

    world.engine._scheduler.post(busy)
    world.engine.stop(arn)
    world.engine.retry(arn, lambda resource: None)
    world.engine.start(arn)
    gate.set()
    assert world.wait(arn).status == "Succeeded", world.execution(arn).body
