import gzip
import io
import json
import tarfile
from itertools import pairwise

import pytest

from emulator.aws.errors import ValidationException
from tests.emulator.jobs.world import BUCKET, IMAGE, channel, until

PREFIX = f"s3://{BUCKET}"
MODEL = "models/{}/output/model.tar.gz"


def members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}


def test_a_model_is_trained_and_stored_at_the_root_of_its_archive(world):
    world.put("train/a.csv", b"1,2\n")
    world.training(
        "fit",
        "mkdir $ML/model/code && cp $ML/input/data/train/a.csv $ML/model/m && echo c > $ML/model/code/inference.py"
        " && echo plot > $ML/output/data/plot.txt",
        {"train": f"{PREFIX}/train/"},
    )
    job = world.trained("fit")
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"{PREFIX}/models/fit/output/model.tar.gz"}
    assert members(world.get(MODEL.format("fit"))) == {"m": b"1,2\n", "code/inference.py": b"c\n"}
    assert members(world.get("models/fit/output/output.tar.gz")) == {"plot.txt": b"plot\n"}


def test_equal_models_give_equal_bytes(world):
    for name in ("one", "two"):
        world.training(name, "echo weights > $ML/model/b; echo more > $ML/model/a; sleep 0.01; touch $ML/model/a")
        world.trained(name)
    assert world.get(MODEL.format("one")) == world.get(MODEL.format("two"))
    assert gzip.decompress(world.get(MODEL.format("one")))


def test_an_uncompressed_model_lies_below_its_prefix(world):
    world.training(
        "plain",
        "mkdir $ML/model/d; echo w > $ML/model/d/w; echo x > $ML/output/data/x",
        OutputDataConfig={"S3OutputPath": f"{PREFIX}/models/", "CompressionType": "NONE"},
    )
    job = world.trained("plain")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"{PREFIX}/models/plain/output/model/"
    assert world.keys("models/plain/") == ["models/plain/output/data/x", "models/plain/output/model/d/w"]


def test_a_job_without_a_model_completes_and_says_so_in_its_log(world):
    world.training("empty", "true")
    world.trained("empty")
    assert world.keys("models/") == []
    assert world.log("Training", "empty") == ["emulator: /opt/ml/model is empty: no model is uploaded"]


def test_the_way_of_a_job_is_told_in_transitions_and_times(world):
    world.training("story", "echo x > $ML/model/x")
    job = world.trained("story")
    transitions = job["SecondaryStatusTransitions"]
    assert [t["Status"] for t in transitions] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(one["EndTime"] == two["StartTime"] for one, two in pairwise(transitions))
    assert job["SecondaryStatus"] == "Completed"
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == 1
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]


def test_the_container_finds_its_configuration(world):
    world.put("train/x", b"")
    world.training(
        "config",
        "cp $ML/input/config/* $ML/model; echo $TRAINING_JOB_NAME $TRAINING_JOB_ARN $MINE",
        HyperParameters={"max_depth": "5"},
        Environment={"MINE": "yes"},
        InputDataConfig=[channel("train", f"{PREFIX}/train/") | {"ContentType": "text/csv", "InputMode": "FastFile"}],
    )
    job = world.trained("config")
    found = {name: json.loads(data) for name, data in members(world.get(MODEL.format("config"))).items()}
    assert found["hyperparameters.json"] == {"max_depth": "5"}
    assert found["inputdataconfig.json"] == {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "FastFile",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
    }
    assert set(found["resourceconfig.json"]) == {
        "current_host",
        "current_instance_type",
        "current_group_name",
        "hosts",
        "instance_groups",
        "network_interface_name",
    }
    assert world.log("Training", "config") == [f"config {job['TrainingJobArn']} yes"]


def test_an_image_without_entrypoint_is_run_with_train(world):
    world.training("algorithm", "", AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"})
    world.trained("algorithm", ("Completed", "Failed"))
    assert world.launcher.launches[0].command == ["train"]


def test_a_failing_program_says_why_and_its_model_is_kept(world):
    world.training("bad", "echo w > $ML/model/w; printf 'ValueError: no rows' > $ML/output/failure; exit 2")
    job = world.trained("bad", "Failed")
    assert job["FailureReason"] == "AlgorithmError: ValueError: no rows, exit code: 2"
    assert job["SecondaryStatus"] == "Failed"
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == job["FailureReason"]
    assert world.keys("models/bad") == ["models/bad/output/model.tar.gz"]


def test_a_long_failure_is_cut_and_the_code_kept(world):
    world.training("long", "head -c 5000 /dev/zero | tr '\\0' x > $ML/output/failure; exit 7")
    reason = world.trained("long", "Failed")["FailureReason"]
    assert len(reason) <= 1024
    assert reason.endswith("x, exit code: 7")


def test_a_model_that_a_full_disk_has_no_room_for_fails_the_job_by_name(world, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "/data/objects")

    monkeypatch.setattr(world.objects, "put_file", full)
    world.training("full", "echo w > $ML/model/w; echo trained")
    job = world.trained("full", "Failed")
    assert job["FailureReason"] == "ClientError: Artifact upload failed:No space left on device: /data/objects"
    assert "ModelArtifacts" not in job
    assert world.log("Training", "full")[0] == "trained"


def test_metrics_are_the_last_values_in_the_log(world):
    world.training(
        "metrics",
        r"printf '[0]\ttrain-auc:0.5\n[1]\ttrain-auc:0.75\nloss=nan-ish\nloss=1e-3;'; echo w > $ML/model/w",
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": [
                "sh",
                "-c",
                r"printf '[0]\ttrain-auc:0.5\n[1]\ttrain-auc:0.75\nloss=1e-3;'",
            ],
            "MetricDefinitions": [
                {"Name": "auc", "Regex": r"\[[0-9]+\].*#011train-auc:([-+]?[0-9]*\.?[0-9]+)"},
                {"Name": "loss", "Regex": "loss=([0-9.e-]+);"},
                {"Name": "never", "Regex": "nothing=([0-9]+)"},
            ],
        },
    )
    found = world.trained("metrics")["FinalMetricDataList"]
    assert [(item["MetricName"], item["Value"]) for item in found] == [("auc", 0.75), ("loss", 0.001)]
    assert all(abs(item["Timestamp"] - world.trained("metrics")["TrainingEndTime"]) < 30 for item in found)


def test_a_job_that_runs_too_long_stops_and_keeps_its_model(world):
    world.training(
        "slow",
        "trap 'echo saved > $ML/model/w; exit 0' TERM; while :; do sleep 0.05; done",
        StoppingCondition={"MaxRuntimeInSeconds": 1},
    )
    job = world.trained("slow", "Stopped")
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert members(world.get(MODEL.format("slow"))) == {"w": b"saved\n"}


def test_a_stopped_job_tells_so(world):
    world.training("stop", "echo ready; sleep 60")
    until(lambda: world.log("Training", "stop") == ["ready"])
    world.call("StopTrainingJob", TrainingJobName="stop")
    job = world.trained("stop", "Stopped")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]][-2:] == ["Stopping", "Stopped"]
    with pytest.raises(ValidationException, match=r"rejected because the training job is in status Stopped\."):
        world.call("StopTrainingJob", TrainingJobName="stop")


def test_checkpoints_go_both_ways(world):
    world.put("cp/old", b"1")
    config = {"S3Uri": f"{PREFIX}/cp", "LocalPath": "/opt/ml/checkpoints"}
    world.training("resume", "cp $ML/checkpoints/old $ML/checkpoints/new; exit 1", CheckpointConfig=config)
    world.trained("resume", "Failed")
    assert world.keys("cp") == ["cp/new", "cp/old"]


def test_intermediate_output_is_stored_while_the_job_runs(world):
    world.training(
        "live",
        "cd $ML/output/intermediate; mkdir d; echo 1 > d/first; while [ ! -e $ML/go ]; do sleep 0.05; done;"
        " echo 2 > last; rm d/first; exit 1",
    )
    until(lambda: world.keys("models/live") == ["models/live/output/intermediate/d/first"])
    (world.launcher.launches[0].directory / "ml/go").touch()
    world.trained("live", "Failed")
    names = [key.removeprefix("models/live/output/intermediate/") for key in world.keys("models/live")]
    assert names == ["d/first", "last"]


def test_checkpoints_that_did_not_change_are_stored_once(world, monkeypatch):
    stored, put_file = [], world.objects.put_file

    def noting(bucket, key, *arguments, **options):
        stored.append(key)
        return put_file(bucket, key, *arguments, **options)

    monkeypatch.setattr(world.objects, "put_file", noting)
    script = "echo 1 > $ML/checkpoints/a; while [ ! -e $ML/go ]; do sleep 0.05; done; echo 2 > $ML/checkpoints/b"
    world.training("saves", script, CheckpointConfig={"S3Uri": f"{PREFIX}/cp"})
    until(lambda: world.keys("cp") == ["cp/a"])
    (world.launcher.launches[0].directory / "ml/go").touch()
    world.trained("saves")
    assert stored == ["cp/a", "cp/b"]


def test_a_manifest_names_its_objects(world):
    world.put("far/a", b"a")
    world.put("far/sub/b", b"b")
    world.put("far/c", b"c")
    world.put("m.json", json.dumps([{"prefix": f"{PREFIX}/far/"}, "a", "sub/b"]).encode())
    source = channel("train", f"{PREFIX}/m.json")
    source["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    world.training("manifest", "cd $ML/input/data/train && find . -type f | sort", InputDataConfig=[source])
    world.trained("manifest")
    assert world.log("Training", "manifest")[:2] == ["./a", "./sub/b"]
