"""What jobs publish to CloudWatch while they run and in the end."""

import math
import sqlite3
import time

import pytest

from emulator.store.metrics import Metric, Wanted
from tests.emulator.jobs.test_sandbox import SandboxedWorld, world
from tests.emulator.jobs.world import SCOPE, World, until

__all__ = ["world"]

LOSSES = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]


def values(world, job, name, kind="Training", **dimensions):
    dimensions = dimensions or {"Host": f"{job}/algo-1"}
    metric = Metric(f"/aws/sagemaker/{kind}Jobs", name, dimensions)
    return [point.total for point in world.jobs.metrics.points(SCOPE, metric, 0, math.inf)]


def algorithm(script):
    return {
        "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/processing:latest",
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["sh", "-c", script],
        "MetricDefinitions": LOSSES,
    }


@pytest.fixture
def often(tmp_path):
    made = World(tmp_path, metrics_interval_seconds=0.05)
    yield made
    made.close()


def test_a_short_job_has_used_its_machine(world):
    world.training("short", "python3 -c 'x = bytearray(80 << 20)'; head -c 1000000 /dev/zero > /opt/ml/model/m")
    world.trained("short")
    assert [len(values(world, "short", f"{what}Utilization")) for what in ("CPU", "Memory", "Disk")] == [1, 1, 1]
    assert values(world, "short", "CPUUtilization")[0] > 0
    assert 80 / 8192 < values(world, "short", "MemoryUtilization")[0] / 100 < 0.5
    assert 0.009 < values(world, "short", "DiskUtilization")[0] < 0.05


def test_a_long_job_is_sampled_while_it_runs(tmp_path):
    world = SandboxedWorld(tmp_path, metrics_interval_seconds=0.05)
    try:
        world.processing("long", "while :; do :; done")
        until(lambda: len(values(world, "long", "CPUUtilization", "Processing")) > 3)
        assert max(values(world, "long", "CPUUtilization", "Processing")) > 10
        world.call("StopProcessingJob", ProcessingJobName="long")
        world.processed("long", "Stopped")
    finally:
        world.close()


def test_values_in_the_log_come_while_the_job_runs_and_in_full_at_its_end(often):
    script = "echo loss=3; while [ ! -e $ML/go ]; do sleep 0.01; done; echo loss=2; printf loss=1"
    often.training("fit", None, AlgorithmSpecification=algorithm(script))
    until(lambda: values(often, "fit", "loss", TrainingJobName="fit") == [3])
    (often.root / "jobs" / next(p.name for p in (often.root / "jobs").iterdir()) / "algo-1" / "ml" / "go").touch()
    job = often.trained("fit")
    assert values(often, "fit", "loss", TrainingJobName="fit") == [3, 2, 1]
    (final,) = job["FinalMetricDataList"]
    assert (final["MetricName"], final["Value"]) == ("loss", 1)
    assert job["TrainingStartTime"] - 1 <= final["Timestamp"] <= job["TrainingEndTime"] + 1


def test_values_of_a_job_that_failed_are_kept(often):
    often.training("fail", None, AlgorithmSpecification=algorithm("echo loss=7; exit 3"))
    often.trained("fail", "Failed")
    assert values(often, "fail", "loss", TrainingJobName="fail") == [7]


def test_without_an_interval_there_is_the_end(tmp_path):
    world = World(tmp_path, metrics_interval_seconds=0)
    try:
        world.training("quiet", None, AlgorithmSpecification=algorithm("echo loss=5"))
        world.trained("quiet")
        assert values(world, "quiet", "loss", TrainingJobName="quiet") == [5]
    finally:
        world.close()


@pytest.mark.parametrize("fault", [sqlite3.OperationalError("database or disk is full"), ValueError("a mistake")])
def test_what_goes_wrong_with_metrics_harms_no_job(often, monkeypatch, caplog, fault):
    def full(scope, points):
        raise fault

    monkeypatch.setattr(often.jobs.metrics, "put", full)
    often.training("full", None, AlgorithmSpecification=algorithm("echo loss=5"))
    often.trained("full")
    assert "Metrics of jobs are lost" in caplog.text


def test_metrics_are_listed_with_their_dimensions(often):
    before = time.time() - 60
    often.training("listed", None, AlgorithmSpecification=algorithm("echo loss=5"))
    often.trained("listed")
    found, _ = often.jobs.metrics.metrics(SCOPE, Wanted("/aws/sagemaker/TrainingJobs", active_since=before), 0, 100)
    assert {(metric.name, tuple(metric.dimensions.items())) for metric in found} == {
        ("loss", (("TrainingJobName", "listed"),)),
        ("DiskUtilization", (("Host", "listed/algo-1"),)),
    }


def test_a_job_over_the_memory_of_its_instance_type_fails_as_on_aws(tmp_path, monkeypatch):
    from emulator.jobs import instances

    monkeypatch.setitem(instances._OTHERS, "tiny.large", (1, 0.1))
    world = SandboxedWorld(tmp_path, instance_limits=True)
    try:
        resources = {"InstanceCount": 1, "InstanceType": "ml.tiny.large", "VolumeSizeInGB": 10}
        hungry = "python3 -c 'import time; x = bytearray(200 << 20); time.sleep(30)'"
        world.training("hungry", hungry, ResourceConfig=resources)
        job = world.trained("hungry", "Failed")
        assert job["FailureReason"].startswith("ClientError: Please use an instance type with more memory")
        said = "\n".join(world.log("Training", "hungry"))
        assert "killed: out of memory, the limit is 102 MiB (what ml.tiny.large has, by EMULATOR_INSTANCE" in said
        count = "python3 -c 'import os; print(os.cpu_count(), len(os.sched_getaffinity(0)))'"
        world.training("counts", count, ResourceConfig=resources)
        world.trained("counts")
        assert world.log("Training", "counts")[0] == "1 1"
    finally:
        world.close()


def test_a_log_that_a_user_deletes_takes_no_job_along(often):
    script = "echo loss=3; while [ ! -e $ML/go ]; do sleep 0.01; done; echo loss=2"
    often.training("bold", None, AlgorithmSpecification=algorithm(script))
    until(lambda: values(often, "bold", "loss", TrainingJobName="bold") == [3])
    often.logs.delete_group(SCOPE, "/aws/sagemaker/TrainingJobs")
    time.sleep(0.2)
    (often.root / "jobs" / next(p.name for p in (often.root / "jobs").iterdir()) / "algo-1" / "ml" / "go").touch()
    assert "FinalMetricDataList" not in often.trained("bold")
    often.training("next", None, AlgorithmSpecification=algorithm("echo loss=5"))
    often.trained("next")
    assert values(often, "next", "loss", TrainingJobName="next") == [5]
