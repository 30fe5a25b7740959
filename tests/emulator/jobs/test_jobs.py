"""The supervisor: slots, stopping, crashes of the emulator, faults inside it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.emulator.jobs.world import BUCKET, IMAGE, SCOPE, World, outputs, s3_input, s3_output, until

PREFIX = f"s3://{BUCKET}"
OUT = outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/out"))


def running(world, name):
    until(lambda: world.log("Processing", name)[:1] == ["ready"])


def test_jobs_beyond_the_slots_wait_in_line(tmp_path):
    world = World(tmp_path, max_parallel_jobs=1)
    world.processing("first", "echo ready; sleep 0.3")
    world.processing("second", "echo ready")
    running(world, "first")
    assert "ProcessingStartTime" not in world.call("DescribeProcessingJob", ProcessingJobName="second")
    first, second = world.processed("first"), world.processed("second")
    assert first["ProcessingEndTime"] <= second["ProcessingStartTime"]
    world.close()


def test_a_waiting_job_is_stopped_at_once_and_never_runs(tmp_path):
    world = World(tmp_path, max_parallel_jobs=1)
    world.processing("first", "echo ready; sleep 60")
    world.processing("second", "touch $ML/processing/out/x", ProcessingOutputConfig=OUT)
    running(world, "first")
    world.call("StopProcessingJob", ProcessingJobName="second")
    assert world.call("DescribeProcessingJob", ProcessingJobName="second")["ProcessingJobStatus"] == "Stopped"
    world.call("StopProcessingJob", ProcessingJobName="first")
    world.processed("first", "Stopped")
    assert len(world.launcher.launches) == 1
    world.close()


def test_jobs_run_side_by_side(world):
    for name in ("a", "b"):
        world.processing(
            name,
            f"touch {world.root}/{name}; while [ ! -e {world.root}/a -o ! -e {world.root}/b ]; do sleep 0.02; done",
        )
    assert world.processed("a")["ProcessingJobStatus"] == world.processed("b")["ProcessingJobStatus"]


def test_a_fault_inside_the_emulator_fails_the_job_and_no_other(world):
    world.processing("broken", "true", AppSpecification={"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/boom:1"})
    world.processing("fine", "true")
    reason = world.processed("broken", "Failed")["FailureReason"]
    assert reason.startswith("InternalServerError: We encountered an internal error. Please try again.")
    assert "the image cache is broken" in reason
    world.processed("fine")


def test_a_closed_emulator_runs_its_jobs_again_from_clean_inputs(world):
    world.put("in/a", b"clean")
    script = (
        f"cat $ML/processing/in/a; echo dirty > $ML/processing/in/a; echo x > $ML/processing/out/x; echo;"
        f" [ -e {world.root}/go ] || sleep 60"
    )
    world.processing(
        "again",
        script,
        ProcessingInputs=[s3_input("in", f"{PREFIX}/in/", "/opt/ml/processing/in")],
        ProcessingOutputConfig=OUT,
    )
    until(lambda: world.log("Processing", "again") == ["clean"])
    world.restart()
    assert world.call("DescribeProcessingJob", ProcessingJobName="again")["ProcessingJobStatus"] == "InProgress"
    (world.root / "go").touch()
    world.jobs.recover()
    world.processed("again")
    assert world.log("Processing", "again") == ["clean", "clean"]
    assert world.keys("out") == ["out/x"]


def test_a_training_job_that_runs_again_tells_one_story(world):
    world.training("again", f"echo ready; [ -e {world.root}/go ] || sleep 60")
    until(lambda: world.log("Training", "again") == ["ready"])
    world.restart()
    (world.root / "go").touch()
    world.jobs.recover()
    job = world.trained("again")
    statuses = [t["Status"] for t in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_a_job_whose_program_had_ended_is_only_uploaded_again(world):
    world.processing("late", "date +%N > $ML/processing/out/once; echo ready; sleep 60", ProcessingOutputConfig=OUT)
    running(world, "late")
    (job,) = world.resources.with_status("processing-job", "InProgress")
    world.restart()
    folder = world.root / "jobs" / f"processing-job-{job.id}"
    once = (folder / "algo-1/ml/processing/out/once").read_bytes()
    ending = {"cause": "exit", "exit": [0, None, False], "failure": None, "host": "algo-1"}
    (folder / "ending.json").write_text(json.dumps(ending))
    launches = len(world.launcher.launches)
    world.jobs.recover()
    world.processed("late")
    assert world.get("out/once") == once
    assert len(world.launcher.launches) == launches


def test_a_job_that_was_being_stopped_is_stopped_after_a_restart(world):
    world.processing("going", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    running(world, "going")
    world.call("StopProcessingJob", ProcessingJobName="going")
    world.restart()
    world.jobs.recover()
    world.processed("going", "Stopped")


def test_folders_that_no_job_needs_are_removed_at_the_start(world):
    left = world.root / "jobs" / "processing-job-999" / "ml"
    left.mkdir(parents=True)
    (left / "x").touch()
    left.chmod(0o000)
    world.jobs.recover()
    assert not left.parent.exists()


def test_warming_up_never_raises(world):
    world.jobs.warm_up([IMAGE, IMAGE, "1.dkr.ecr.us-east-1.amazonaws.com/nobody:1", "boom"])
    until(lambda: world.launcher.warmed == ["processing"])


def test_nothing_acknowledged_is_lost_when_the_emulator_is_killed(tmp_path):
    """An emulator is killed in mid-run; the next one brings its jobs to their end."""
    program = (
        "import sys; from pathlib import Path; from tests.emulator.jobs.world import World\n"
        "world = World(Path(sys.argv[1]))\n"
        "world.training('t', 'echo ready; sleep 1; echo w > $ML/model/w')\n"
        "world.processing('p', 'echo ready; sleep 1')\n"
        "print('created', flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    repository = Path(__file__).parents[3]
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=repository, stdout=subprocess.PIPE, env=os.environ
    )
    with child, child.stdout:
        assert child.stdout.readline() == b"created\n"
        time.sleep(0.2)
        child.send_signal(signal.SIGKILL)
    world = World(tmp_path)
    world.jobs.recover()
    world.trained("t")
    world.processed("p")
    assert world.keys("models") == ["models/t/output/model.tar.gz"]
    assert world.resources.count(SCOPE, "training-job") == 1
    world.close()


def test_a_full_disk_while_staging_fails_the_job_with_the_reason(world, monkeypatch):
    world.put("in/a", b"x")

    def full(*_arguments):
        raise OSError(28, "No space left on device", "/data/jobs/1")

    monkeypatch.setattr(world.objects, "copy", full)
    world.processing("full", "true", ProcessingInputs=[s3_input("in", f"{PREFIX}/in", "/opt/ml/processing/in")])
    reason = world.processed("full", "Failed")["FailureReason"]
    assert reason == "ClientError: Data download failed:Failed to download data. No space left on device: /data/jobs/1"


def test_a_full_disk_while_uploading_fails_the_job_with_the_reason(world, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "/data/objects")

    monkeypatch.setattr(world.objects, "put_file", full)
    world.processing("full", "touch $ML/processing/out/x", ProcessingOutputConfig=OUT)
    reason = world.processed("full", "Failed")["FailureReason"]
    assert reason == "ClientError: Artifact upload failed:No space left on device: /data/objects"


def test_a_verdict_that_cannot_be_stored_is_stored_later(world, monkeypatch):
    import sqlite3

    from emulator.jobs import run

    monkeypatch.setattr(run, "RETRY_SECONDS", 0.05)
    update, faults = world.resources.update, []

    def failing(arn, change):
        job = world.resources.by_arn(arn)
        if not faults and "ProcessingStartTime" in job.body and (world.root / "ran").exists():
            faults.append(arn)
            raise sqlite3.OperationalError("database or disk is full")
        return update(arn, change)

    monkeypatch.setattr(world.resources, "update", failing)
    world.processing("full", f"touch {world.root}/ran")
    world.processed("full")
    assert len(faults) == 1
