"""Managed spot training: interruptions, resuming from checkpoints, limits of time; and retries."""

import pytest

from emulator.aws.errors import ValidationException
from emulator.jobs.transitions import SPOT_PRICE, bill, go_back, retries
from emulator.launchers.launcher import LaunchError
from emulator.services.sagemaker.interruptions import interrupt
from tests.emulator.jobs.world import BUCKET, until

PREFIX = f"s3://{BUCKET}"
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
    "CheckpointConfig": {"S3Uri": f"{PREFIX}/cp"},
}
COUNTS = (
    "n=$(cat $ML/checkpoints/n 2>/dev/null || echo 0); echo step $n; echo $((n + 1)) > $ML/checkpoints/n;"
    " [ $n -ge {last} ] || {{ trap 'echo saved > $ML/checkpoints/late; exit 0' TERM; while :; do sleep 0.05; done; }};"
    " cp -r $ML/checkpoints/. $ML/model"
)


def statuses(job):
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def interrupted(world, name, line, seconds=0.0):
    until(lambda: line in world.log("Training", name))
    return interrupt(world.context.app, name, seconds)


def test_an_interrupted_job_goes_on_from_its_checkpoint(world):
    world.training("spot", COUNTS.format(last=2), **SPOT)
    arn = interrupted(world, "spot", "step 0")
    interrupted(world, "spot", "step 1")
    job = world.trained("spot")
    once = ["Starting", "Downloading", "Training", "Interrupted"]
    assert statuses(job) == [*once, *once, "Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert arn == job["TrainingJobArn"]
    steps = [line for line in world.log("Training", "spot") if line.startswith("step")]
    assert steps == ["step 0", "step 1", "step 2"]
    assert (world.get("cp/n"), world.get("cp/late")) == (b"3\n", b"saved\n")
    assert world.keys("models") == ["models/spot/output/model.tar.gz"]


def test_all_hosts_of_a_job_are_interrupted_and_go_on_together(world):
    script = (
        "me=$(basename $(dirname $ML)); echo $me up; [ -e $ML/checkpoints/$me ] || {"
        " trap 'echo x > $ML/checkpoints/'$me'; exit 0' TERM; while :; do sleep 0.05; done; }; ls $ML/checkpoints"
    )
    resources = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    world.training("both", script, **SPOT, ResourceConfig=resources)
    until(lambda: {"algo-1 up", "algo-2 up"} <= set(world.log("Training", "both")))
    interrupt(world.context.app, "both", 0)
    assert statuses(world.trained("both")).count("Interrupted") == 1
    assert world.keys("cp") == ["cp/algo-1", "cp/algo-2"]
    assert sorted(world.log("Training", "both")).count("algo-1") == 2


def test_a_job_without_checkpoints_starts_anew(world):
    script = f"echo ready; [ -e {world.root}/go ] || sleep 60; ls $ML/model; echo w > $ML/model/w"
    world.training("anew", script, **{**SPOT, "CheckpointConfig": {"S3Uri": f"{PREFIX}/unused"}})
    until(lambda: world.log("Training", "anew") == ["ready"])
    (world.root / "go").touch()
    interrupt(world.context.app, "anew", 0)
    world.trained("anew")
    log = world.log("Training", "anew")
    assert log == ["ready", "emulator: interrupted: the instances were taken away", "ready"]


def test_time_without_instances_is_neither_trained_nor_billed(world):
    body = {"EnableManagedSpotTraining": True, "SecondaryStatusTransitions": []}
    times = [("Starting", 5), ("Downloading", 10), ("Training", 40), ("Interrupted", 100), ("Starting", 30)]
    times += [("Downloading", 10), ("Training", 35), ("Uploading", 5), ("Completed", 0)]
    now = 0.0
    for status, seconds in times:
        body["SecondaryStatusTransitions"].append({"Status": status, "StartTime": now, "EndTime": now + seconds})
        now += seconds
    bill(body)
    assert body["TrainingTimeInSeconds"] == 100
    assert body["BillableTimeInSeconds"] == 100 * SPOT_PRICE
    body["EnableManagedSpotTraining"] = False
    bill(body)
    assert body["BillableTimeInSeconds"] == 100


def test_a_job_that_gets_no_instances_in_time_is_stopped(world):
    limits = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    world.training("late", "echo ready; sleep 60", **{**SPOT, "StoppingCondition": limits})
    interrupted(world, "late", "ready", 3600)
    job = world.trained("late", "Stopped")
    assert job["SecondaryStatus"] == "MaxWaitTimeExceeded"
    assert statuses(job)[-2:] == ["Interrupted", "MaxWaitTimeExceeded"]
    assert "FailureReason" not in job


def test_a_program_that_is_at_work_when_the_wait_is_over_is_stopped(world):
    limits = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    world.training("late", "sleep 60", **{**SPOT, "StoppingCondition": limits})
    assert world.trained("late", "Stopped")["SecondaryStatus"] == "MaxWaitTimeExceeded"


def test_the_runtime_of_all_attempts_together_is_limited(world):
    limits = {"MaxRuntimeInSeconds": 2, "MaxWaitTimeInSeconds": 900}
    world.training("long", "echo ready; sleep 60", **{**SPOT, "StoppingCondition": limits})
    until(lambda: world.log("Training", "long") == ["ready"])
    world.resources.update(_arn(world, "long"), lambda job: _backdate(job, 1.5))
    interrupt(world.context.app, "long", 0)
    job = world.trained("long", "Stopped")
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    second = [item for item in job["SecondaryStatusTransitions"] if item["Status"] == "Training"][1]
    assert second["EndTime"] - second["StartTime"] < 1.9


def _arn(world, name):
    return world.call("DescribeTrainingJob", TrainingJobName=name)["TrainingJobArn"]


def _backdate(job, seconds):
    job.body["SecondaryStatusTransitions"][-1]["StartTime"] -= seconds


def test_a_job_that_waits_for_instances_can_be_stopped(world):
    world.training("wait", "echo ready; sleep 60", **SPOT)
    interrupted(world, "wait", "ready", 3600)
    until(lambda: statuses(world.call("DescribeTrainingJob", TrainingJobName="wait"))[-1] == "Interrupted")
    world.call("StopTrainingJob", TrainingJobName="wait")
    job = world.trained("wait", "Stopped")
    assert statuses(job)[-3:] == ["Interrupted", "Stopping", "Stopped"]


def test_a_job_that_is_interrupted_and_stopped_is_stopped(world):
    object.__setattr__(world.settings, "stop_grace_seconds", 0.3)
    world.training("both", "trap '' TERM; echo ready; while :; do sleep 0.05; done", **SPOT)
    interrupted(world, "both", "ready")
    world.call("StopTrainingJob", TrainingJobName="both")
    assert statuses(world.trained("both", "Stopped"))[-2:] == ["Stopping", "Stopped"]


def test_a_job_that_waits_when_the_emulator_is_killed_goes_on_after_it(world):
    world.training("wait", COUNTS.format(last=1), **SPOT)
    interrupted(world, "wait", "step 0", 3600)
    until(lambda: statuses(world.call("DescribeTrainingJob", TrainingJobName="wait"))[-1] == "Interrupted")
    world.restart()
    world.jobs.recover()
    job = world.trained("wait")
    assert statuses(job) == [
        "Starting", "Downloading", "Training", "Interrupted", "Downloading", "Training", "Uploading", "Completed"
    ]  # fmt: skip
    assert world.get("cp/n") == b"2\n"


@pytest.mark.parametrize(
    ("members", "message"),
    [({}, "plain does not run on spot instances: create it with EnableManagedSpotTraining")],
)
def test_only_spot_jobs_are_interrupted(world, members, message):
    world.training("plain", "echo ready; sleep 60", **members)
    until(lambda: world.log("Training", "plain") == ["ready"])
    with pytest.raises(ValidationException, match=message):
        interrupt(world.context.app, "plain", 0)
    with pytest.raises(ValidationException, match="No training job nobody is in progress"):
        interrupt(world.context.app, "nobody", 0)


def failing_launches(world, monkeypatch, count):
    launch, failures = world.launcher.launch, []

    def failing(*arguments):
        if len(failures) < count:
            failures.append(1)
            raise LaunchError("the sandbox could not be made")
        return launch(*arguments)

    monkeypatch.setattr(world.launcher, "launch", failing)


def test_a_fault_of_the_service_is_retried_as_often_as_the_job_allows(world, monkeypatch):
    failing_launches(world, monkeypatch, 2)
    world.training("retried", "echo w > $ML/model/w", RetryStrategy={"MaximumRetryAttempts": 2})
    job = world.trained("retried")
    once = ["Starting", "Downloading", "Training"]
    assert statuses(job) == [*once, *once, *once, "Uploading", "Completed"]
    assert "FailureReason" not in job


def test_a_job_that_may_not_be_retried_fails_by_the_service_s_fault(world, monkeypatch):
    failing_launches(world, monkeypatch, 2)
    world.training("once", "true", RetryStrategy={"MaximumRetryAttempts": 1})
    assert world.trained("once", "Failed")["FailureReason"].startswith("InternalServerError: ")


def test_a_failure_of_the_program_is_not_retried(world):
    world.training("own", "exit 3", RetryStrategy={"MaximumRetryAttempts": 5})
    assert statuses(world.trained("own", "Failed")).count("Starting") == 1


def test_what_a_dead_attempt_noted_is_taken_back():
    story = ["Starting", "Downloading", "Training", "Starting", "Downloading", "Training"]
    body = {"SecondaryStatusTransitions": [{"Status": status, "EndTime": 1} for status in story]}
    assert retries(body) == 1
    go_back(body)
    assert [item["Status"] for item in body["SecondaryStatusTransitions"]] == story[:4]
    assert "EndTime" not in body["SecondaryStatusTransitions"][-1]
    assert body["SecondaryStatus"] == "Starting"


def test_starting_after_an_interruption_is_no_retry():
    story = ["Starting", "Training", "Interrupted", "Training", "Interrupted", "Starting", "Training"]
    assert retries({"SecondaryStatusTransitions": [{"Status": status} for status in story]}) == 0
