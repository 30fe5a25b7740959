from __future__ import annotations

import time
from typing import Any

import pytest

from emulator.aws.errors import AwsError, NotImplementedHere, ResourceLimitExceeded, ValidationException
from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from emulator.engine.retries import (
    CAPACITY_ERROR,
    EXCEPTION_TYPES,
    JOB_INTERNAL_ERROR,
    RESOURCE_LIMIT,
    SERVICE_FAULT,
    THROTTLING,
    Retries,
    RetryPolicy,
    exception_type,
    job_exception_type,
    next_retry,
)
from tests.emulator.engine.fakes import World, condition, equals, eventually, fail, processing, register, text_of

THROTTLED = AwsError("Rate exceeded", code="ThrottlingException")
FULL = ResourceLimitExceeded("The account-level service limit is 2 Instances")
INTERNAL = "InternalServerError: We encountered an internal error. Please try again."
SOON = {"IntervalSeconds": 1, "BackoffRate": 0.001}


def policy(*exceptions: str, **more: Any) -> dict[str, Any]:
    return {"ExceptionType": list(exceptions), **SOON, **more}


def wait_for_retry(world: World, arn: str, step: str) -> None:
    eventually(lambda: step in world.steps(arn) and world.steps(arn)[step].attempt > 1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is a hundredth here: what is tested is that the engine waits, not how long."""
    monkeypatch.setattr("emulator.engine.retries._delay", lambda policy, count: policy.interval / 100)


def test_a_job_that_met_an_internal_error_is_run_again_under_a_new_name(world: World) -> None:
    world.sagemaker.script("A", [("Failed", INTERNAL), ("Failed", INTERNAL), ("Completed", "")])
    arn = world.start(
        [processing("A", RetryPolicies=[policy(JOB_INTERNAL_ERROR, MaxAttempts=2)]), processing("B", "A")]
    )
    assert world.wait(arn).status == "Succeeded"
    step = world.steps(arn)["A"]
    names = [call["ProcessingJobName"] for call in world.sagemaker.made("CreateProcessingJob") if "-A-" in str(call)]
    assert (step.attempt, len(set(names)), step.reason) == (3, 3, "")
    assert step.metadata["ProcessingJob"]["Arn"].endswith(names[-1])


def test_after_the_last_attempt_the_step_fails(world: World) -> None:
    world.sagemaker.script("A", [("Failed", INTERNAL)] * 5)
    arn = world.start([processing("A", RetryPolicies=[policy(JOB_INTERNAL_ERROR, MaxAttempts=2)])])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["A"].attempt == 3
    assert INTERNAL in world.steps(arn)["A"].reason


def test_an_algorithm_error_is_never_tried_again(world: World) -> None:
    world.sagemaker.fates = {"A": "Failed"}
    arn = world.start([processing("A", RetryPolicies=[policy(*EXCEPTION_TYPES, MaxAttempts=20)])])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["A"].attempt == 1


@pytest.mark.parametrize(
    ("refusal", "policies", "attempts"),
    [
        (THROTTLED, [], 6),
        (AwsError("We failed", code="InternalFailure", status=500), [], 6),
        (THROTTLED, [policy(THROTTLING, MaxAttempts=1)], 2),
        (FULL, [], 1),
        (FULL, [policy(RESOURCE_LIMIT, MaxAttempts=3)], 4),
        (FULL, [policy(CAPACITY_ERROR, MaxAttempts=3)], 1),
        (ValidationException("no"), [policy(*EXCEPTION_TYPES, MaxAttempts=3)], 1),
    ],
)
def test_refused_calls(world: World, refusal: AwsError, policies: list[dict[str, Any]], attempts: int) -> None:
    world.sagemaker.refuse["CreateProcessingJob"] = refusal
    arn = world.start([processing("A", RetryPolicies=policies)])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["A"].attempt == len(world.sagemaker.made("CreateProcessingJob")) == attempts
    reason = world.steps(arn)["A"].reason
    assert refusal.message in reason
    assert ("No retry policy configured" in reason) == (refusal is FULL and attempts == 1)


def test_a_model_package_is_tried_again_by_default(world: World) -> None:
    world.sagemaker.refuse["CreateModelPackage"] = THROTTLED
    arn = world.start([register("R")])
    wait_for_retry(world, arn, "R")
    del world.sagemaker.refuse["CreateModelPackage"]
    assert world.wait(arn).status == "Succeeded"
    assert len(world.resources.with_status("model-package", "Completed")) == 1


def test_while_a_step_waits_its_reason_is_shown_and_its_peers_go_on(world: World) -> None:
    world.sagemaker.script("A", [("Failed", INTERNAL), ("Completed", "")])
    slow = policy(JOB_INTERNAL_ERROR, MaxAttempts=1, IntervalSeconds=40)
    arn = world.start([processing("A", RetryPolicies=[slow]), processing("B")])
    wait_for_retry(world, arn, "A")
    world.wait_for(arn, B="Succeeded")
    waiting = world.steps(arn)["A"]
    assert (waiting.attempt, waiting.arn, waiting.metadata) == (2, "", {})
    assert INTERNAL in waiting.reason
    assert world.execution(arn).status == "Executing"
    assert world.wait(arn).status == "Succeeded"


def test_a_stop_ends_the_waiting(world: World) -> None:
    world.sagemaker.script("A", [("Failed", INTERNAL)])
    arn = world.start([processing("A", RetryPolicies=[policy(JOB_INTERNAL_ERROR, IntervalSeconds=43200)])])
    wait_for_retry(world, arn, "A")
    world.engine.stop(arn)
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"A": "Stopped"}


def test_the_time_to_wait_survives_a_restart(world: World) -> None:
    world.sagemaker.script("A", [("Failed", INTERNAL)])
    arn = world.start([processing("A", RetryPolicies=[policy(JOB_INTERNAL_ERROR, IntervalSeconds=100)])])
    wait_for_retry(world, arn, "A")
    due = world.steps(arn)["A"].retries["Due"]
    world.restart()
    assert world.wait(arn).status == "Succeeded"
    (again,) = world.sagemaker.made("CreateProcessingJob")
    job = world.resources.by_arn(world.steps(arn)["A"].arn)
    assert job is not None
    assert job.name == again["ProcessingJobName"]
    assert job.created >= due, "not before its time"


def test_a_passing_failure_to_ask_is_not_taken_for_the_jobs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.engine.runner._PATIENCE_SECONDS", 0.01)
    world.sagemaker.refuse["DescribeProcessingJob"] = THROTTLED
    arn = world.start([processing("A")])
    eventually(lambda: len(world.sagemaker.made("DescribeProcessingJob")) > 3)
    assert world.statuses(arn) == {"A": "Executing"}
    del world.sagemaker.refuse["DescribeProcessingJob"]
    assert world.wait(arn).status == "Succeeded"
    assert len(world.sagemaker.made("CreateProcessingJob")) == 1


def test_the_first_policy_that_names_the_error_counts_for_itself() -> None:
    policies = [RetryPolicy((CAPACITY_ERROR,), attempts=1), RetryPolicy((JOB_INTERNAL_ERROR, CAPACITY_ERROR))]
    first = next_retry(policies, CAPACITY_ERROR, Retries(), 0.0)
    assert first is not None
    assert next_retry(policies, CAPACITY_ERROR, first, 0.0) is None
    second = next_retry(policies, JOB_INTERNAL_ERROR, first, 0.0)
    assert second is not None
    assert second.counts == {"0": 1, "1": 1}


def test_expire_after_counts_from_the_first_failure() -> None:
    limited = [RetryPolicy((SERVICE_FAULT,), interval=1.0, attempts=None, expire_after=60.0)]
    used = next_retry(limited, SERVICE_FAULT, Retries(), 1000.0)
    assert used is not None
    assert used.since == {"0": 1000.0}
    assert next_retry(limited, SERVICE_FAULT, used, 1059.0) is not None
    assert next_retry(limited, SERVICE_FAULT, used, 1060.1) is None


def test_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    it, used, waits = RetryPolicy((THROTTLING,), interval=3.0, backoff=2.0, attempts=4), Retries(), []
    while (following := next_retry([it], THROTTLING, used, 0.0)) is not None:
        used = following
        waits.append(used.due)
    assert waits == [3.0, 6.0, 12.0, 24.0]
    extreme = RetryPolicy((THROTTLING,), interval=43200.0, backoff=1e300, attempts=20)
    assert next_retry([extreme], THROTTLING, Retries(counts={"0": 19}), 0.0) == Retries(864000.0, {"0": 20}, {"0": 0.0})


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (INTERNAL, JOB_INTERNAL_ERROR),
        ("CapacityError: Unable to provision requested ML compute capacity.", CAPACITY_ERROR),
        ("AlgorithmError: , exit code: 1", ""),
        ("AlgorithmError: InternalServerError: no", ""),
        ("ClientError: bad data", ""),
        ("", ""),
    ],
)
def test_failure_reasons_of_jobs(reason: str, kind: str) -> None:
    assert job_exception_type(reason) == kind


def test_what_no_policy_can_name() -> None:
    assert exception_type(ValidationException("no")) == ""
    assert exception_type(NotImplementedHere("not yet")) == "", "it will not be there in a minute"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"ExceptionType": ["Step.NO"]}, "Unknown exception type 'Step.NO'. Known are Step.SERVICE_FAULT"),
        ({"ExceptionType": []}, "A retry policy names at least one exception type."),
        ({}, "A retry policy names at least one exception type."),
        (policy(THROTTLING, MaxAttempts=21), "MaxAttempts must be an integer between 1 and 20."),
        (policy(THROTTLING, MaxAttempts=0), "MaxAttempts must be an integer between 1 and 20."),
        (policy(THROTTLING, MaxAttempts=True), "MaxAttempts must be an integer between 1 and 20."),
        (policy(THROTTLING, ExpireAfterMin=14401), "ExpireAfterMin must be an integer between 1 and 14400."),
        (policy(THROTTLING, MaxAttempts=1, ExpireAfterMin=1), "Give either MaxAttempts or ExpireAfterMin, not both."),
        (policy(THROTTLING, IntervalSeconds=43201), "IntervalSeconds must be an integer between 0 and 43200."),
        (policy(THROTTLING, BackoffRate=-1), "BackoffRate must be a number of at least 0."),
        (policy(THROTTLING, Attempts=1), "Cannot parse object, unknown property 'Attempts'."),
    ],
)
def test_wrong_policies_are_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_definition(text_of([processing("A", RetryPolicies=[item])]))
    assert message in str(refused.value)
    assert "step 'A', field RetryPolicies[0]" in str(refused.value)


@pytest.mark.parametrize("step", [fail("A", ""), condition("A", [equals(1, 1)])])
def test_steps_without_work_have_no_policies(step: dict[str, Any]) -> None:
    step["RetryPolicies"] = [policy(THROTTLING, MaxAttempts=1)]
    with pytest.raises(DefinitionError, match="cannot have retry policies"):
        check_definition(read_definition(text_of([step])))


def test_a_policy_may_be_written_as_the_sdk_does() -> None:
    single = {"ExceptionType": THROTTLING, "BackoffRate": 2.0, "IntervalSeconds": 1, "ExpireAfterMin": 5}
    steps = read_definition(text_of([processing("A", RetryPolicies=[single])])).steps
    assert steps["A"].retries == (RetryPolicy((THROTTLING,), attempts=None, expire_after=300.0),)


def test_databases_of_earlier_versions_get_the_new_column(world: World) -> None:
    with world.database.transaction() as connection:
        connection.execute("ALTER TABLE execution_steps DROP COLUMN retries")
    world.restart()
    begun = time.time()
    arn = world.start([processing("A")])
    assert world.wait(arn).status == "Succeeded"
    assert world.steps(arn)["A"].retries == {}
    assert world.steps(arn)["A"].started >= begun
