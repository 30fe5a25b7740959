"""The data of training and processing jobs in real sandboxes: streamed inputs, outputs, what is described back."""

import gzip
import json
from http.client import HTTPConnection

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, IMAGE, ROLE
from tests.integration.training import ENDED, Trainer, channel

READER = """
import struct
def epoch(number, channel="train"):
    with open(f"/opt/ml/input/data/{channel}_{number}", "rb") as pipe:
        return pipe.read()
def records(data):
    position = 0
    while position < len(data):
        magic, length = struct.unpack_from("<II", data, position)
        assert magic == 0xCED7230A, hex(magic)
        yield data[position + 8 : position + 8 + length]
        position += 8 + (length + 3) // 4 * 4
"""


@pytest.fixture(scope="module")
def trainer(runner):
    runner.sagemaker.create_experiment(ExperimentName="e")
    runner.sagemaker.create_trial(ExperimentName="e", TrialName="t")
    return Trainer(runner)


def test_pipe_mode_streams_each_epoch_anew_and_in_another_order(trainer):
    for number in range(8):
        trainer.put(f"pipe/{number}.gz", gzip.compress(b"%d," % number))
    streamed = channel("train", f"s3://{BUCKET}/pipe/", CompressionType="Gzip", ShuffleConfig={"Seed": 1})
    program = READER + "for number in range(3): print(epoch(number).decode())\n"
    trainer.run("pipe-epochs", program, streamed, mode="Pipe")
    epochs = [line for line in trainer.log("pipe-epochs") if line[0].isdigit()]
    assert [sorted(line) for line in epochs] == [sorted("0,1,2,3,4,5,6,7,")] * 3
    assert len(set(epochs)) == 3


def test_an_augmented_manifest_is_streamed_as_records(trainer):
    uri = trainer.put("images/one.png", b"\x89PNG one")
    line = json.dumps({"source-ref": uri, "label": 4, "label-metadata": {"confidence": 1}})
    manifest = trainer.put("images/train.manifest", f"{line}\n{line}\n".encode())
    source = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "label"]}
    streamed = channel("train", manifest, RecordWrapperType="RecordIO", InputMode="Pipe", source=source)
    trainer.run("augmented", READER + "print(list(records(epoch(0))))", streamed)
    assert trainer.log("augmented")[0] == str([b"\x89PNG one", b"4"] * 2)
    config = trainer.describe("augmented")["InputDataConfig"]
    streamed["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "FullyReplicated"
    assert config[0] == streamed | {"CompressionType": "None"}


def test_what_aws_only_keeps_for_the_record_is_described_back(trainer):
    kms = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    request = {
        "VpcConfig": {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-1", "subnet-2"]},
        "Environment": {"MODE": "it's", "EMPTY": ""},
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/trained", "KmsKeyId": kms, "CompressionType": "GZIP"},
        "ResourceConfig": {
            "InstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "VolumeSizeInGB": 10,
            "VolumeKmsKeyId": kms,
        },
        "EnableInterContainerTrafficEncryption": True,
        "RetryStrategy": {"MaximumRetryAttempts": 3},
        "ExperimentConfig": {"ExperimentName": "e", "TrialName": "t"},
        "TensorBoardOutputConfig": {"LocalPath": "/opt/ml/output/tensorboard", "S3OutputPath": f"s3://{BUCKET}/tb"},
        "HyperParameters": {"note": "it's", "eta": "0.3"},
    }
    program = "import os; print(os.environ['MODE'], repr(os.environ['EMPTY']))"
    trainer.start("kept", program, Tags=[{"Key": "team", "Value": "a"}], **request)
    job = trainer.ended("kept", "Completed")
    assert {name: job[name] for name in request} == request
    assert trainer.log("kept")[0] == "it's ''"
    tags = trainer.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


RESUMING = """
import pathlib, signal, sys, time
saved = pathlib.Path("/opt/ml/checkpoints/epoch")
first = int(saved.read_text()) if saved.exists() else 0
def save(number, *_):
    pathlib.Path("/opt/ml/checkpoints/signals").open("a").write("TERM;")
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
for epoch in range(first, 6):
    print("epoch", epoch)
    saved.write_text(str(epoch + 1))
    if epoch == 2 and not first:
        time.sleep(60)
pathlib.Path("/opt/ml/model/m").write_text(f"resumed at {first}")
"""
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
}


def interrupt_when(trainer, emulator, name, line):
    def said():
        try:
            return line in trainer.log(name)
        except ClientError:  # there is no log yet
            return False

    until(said)
    return emulator.run("interrupt", name, check=False)


def test_an_interrupted_spot_job_resumes_from_its_checkpoint(trainer, emulator):
    checkpoints = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/spot-checkpoints"}}
    trainer.start("spot", RESUMING, **SPOT, **checkpoints)
    answer = interrupt_when(trainer, emulator, "spot", "epoch 2")
    job = trainer.ended("spot", "Completed")
    assert answer.stdout.strip() == f"Interrupted: {job['TrainingJobArn']}"
    once = ["Starting", "Downloading", "Training"]
    assert trainer.secondary("spot") == [*once, "Interrupted", *once, "Uploading", "Completed"]
    assert trainer.model("spot") == {"m": b"resumed at 3"}
    assert [line for line in trainer.log("spot") if line.startswith("epoch")] == [f"epoch {n}" for n in range(6)]
    assert trainer.get("spot-checkpoints/signals") == b"TERM;"
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]


def test_what_cannot_be_interrupted_is_said(trainer, emulator):
    trainer.start("on-demand", "import time; print('ready'); time.sleep(60)")
    answer = interrupt_when(trainer, emulator, "on-demand", "ready")
    assert answer.returncode == 1
    assert "create it with EnableManagedSpotTraining" in answer.stderr
    trainer.sagemaker.stop_training_job(TrainingJobName="on-demand")
    trainer.ended("on-demand", "Stopped")
    answer = emulator.run("interrupt", "on-demand", check=False)
    assert "No training job on-demand is in progress" in answer.stderr


def test_without_an_emulator_there_is_nothing_to_interrupt(own_emulator):
    answer = own_emulator.run("interrupt", "spot", check=False)
    assert answer.returncode == 3
    assert "no emulator is running" in answer.stderr


def test_other_origins_cannot_interrupt(emulator):
    host, port = emulator.status["url"].removeprefix("http://").split(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    for method, kind, status in (("POST", "text/plain", 403), ("GET", "application/json", 400)):
        connection.request(method, "/_emulator/interrupt", b"{}", {"Content-Type": kind})
        response = connection.getresponse()
        assert response.status == status
        assert "message" in json.loads(response.read())
    connection.close()


KMS = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
PROCESSING = """
import json, os, time
for name in ("file/two", "file/one"):
    print(open(f"/opt/ml/processing/{name}").read())
print(open("/opt/ml/processing/stream/x_0").read())
print(os.path.exists("/opt/ml/processing/own"))
for folder in ("live", "late"):
    open(f"/opt/ml/processing/{folder}/out", "w").write(folder)
raise SystemExit(int(os.environ["CODE"]))
"""


def processing_request(trainer, name, code):
    def source(uri, path, **members):
        return {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **members}

    def target(path, mode):
        return {"S3Uri": f"s3://{BUCKET}/processed/{name}/{path}", "LocalPath": f"{ML}/{path}", "S3UploadMode": mode}

    script = trainer.put("programs/processing/program.py", PROCESSING.encode())
    trainer.put("proc/a", b"first,")
    trainer.put("proc/b", b"second,")
    trainer.put("proc/named/one", b"1")
    trainer.put("proc/named/two", b"2")
    manifest = trainer.put("proc-manifest", f'[{{"prefix": "s3://{BUCKET}/proc/named/"}}, "two", "one"]'.encode())
    own = {"S3Uri": f"s3://{BUCKET}/not-there", "S3DataType": "S3Prefix", "LocalPath": f"{ML}/own"}
    return {
        "ProcessingInputs": [
            {"InputName": "code", "S3Input": source(script, f"{ML}/code")},
            {"InputName": "file", "S3Input": source(manifest, f"{ML}/file", S3DataType="ManifestFile")},
            {"InputName": "x", "S3Input": source(f"s3://{BUCKET}/proc/", f"{ML}/stream/x", S3InputMode="Pipe")},
            {"InputName": "own", "AppManaged": True, "S3Input": own},
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "live", "S3Output": target("live", "Continuous"), "AppManaged": False},
                {"OutputName": "late", "S3Output": target("late", "EndOfJob"), "AppManaged": False},
            ],
            "KmsKeyId": KMS,
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 5,
                "VolumeKmsKeyId": KMS,
            }
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", f"{ML}/code/program.py"]},
        "Environment": {"CODE": str(code)},
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": True,
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "ExperimentConfig": {"ExperimentName": "e"},
        "RoleArn": ROLE,
    }


ML = "/opt/ml/processing"


@pytest.mark.parametrize(("code", "status", "stored"), [(0, "Completed", ["late", "live"]), (3, "Failed", ["live"])])
def test_every_way_of_an_input_and_output_of_processing(trainer, runner, code, status, stored):
    name = f"every-way-{code}"
    request = processing_request(trainer, name, code)
    runner.sagemaker.create_processing_job(ProcessingJobName=name, **request)

    def ended():
        job = runner.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] in ENDED else None

    job = until(ended)
    assert job["ProcessingJobStatus"] == status, job
    assert {member: job[member] for member in request} == request
    said = runner.log({"Metadata": {"ProcessingJob": {"Arn": job["ProcessingJobArn"]}}})
    assert said.splitlines()[:4] == ["2", "1", "first,second,12", "False"]
    assert trainer.keys(f"processed/{name}/") == [f"processed/{name}/{folder}/out" for folder in stored]
