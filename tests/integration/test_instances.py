"""A training job on two instances, on a real emulator that is killed meanwhile."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.images.engine import NAMES, Engine, EngineError
from tests.emulator.launchers import machine_image
from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import BUCKET, IMAGE, ROLE, Runner
from tests.integration.test_bad_days import processes_with

SCRIPT = """
import os, pathlib, socket, sys, time, urllib.error, urllib.request
me = socket.gethostname()
peer = {"algo-1": "algo-2", "algo-2": "algo-1"}[me]
print(me, "is up", flush=True)
listener = socket.create_server(("", 7777))
while True:
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/%s/go")
        break
    except urllib.error.HTTPError as error:
        assert error.code == 404, error
        time.sleep(0.1)
while True:  # the other host may start later
    try:
        onward = socket.create_connection((peer, 7777), 30)
        break
    except OSError:
        time.sleep(0.1)
onward.sendall(me.encode())
onward.close()
said = listener.accept()[0].recv(100).decode()
pathlib.Path("/opt/ml/model", me).write_text(said)
"""


@pytest.fixture(params=["namespaces", *(pytest.param(name, marks=pytest.mark.containers) for name in NAMES)])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that is not started, with an image named ``IMAGE`` of which jobs run, in sandboxes or containers."""
    if request.param == "namespaces":
        yield request.getfixturevalue("own_emulator")
        return
    try:
        engine = Engine.find(request.param)
    except EngineError as error:
        pytest.skip(str(error))
    if engine.rootless:
        pytest.skip("an engine without root joins no hosts")
    definition = tmp_path / "containers" / IMAGE.rpartition("/")[2].partition(":")[0]
    definition.mkdir(parents=True)
    (definition / "Dockerfile").write_text(f"FROM {machine_image.make(engine, tmp_path / 'image')}\n")
    emulator = Emulator(tmp_path / "data", isolation=request.param, containers_dir=definition.parent)
    yield emulator
    emulator.stop()
    label = f"label=sagemaker-emulator={(tmp_path / 'data').absolute()}"
    assert engine.call("ps", "--all", "--quiet", "--filter", label) == ""
    assert engine.call("network", "ls", "--quiet", "--filter", label) == ""


def test_a_kill_leaves_nothing_of_any_host_and_a_restart_runs_all_again(own: Emulator) -> None:
    runner = Runner(own.start())
    marker = f"marker-{random.randrange(10**12)}"
    runner.upload(SCRIPT % BUCKET, "talk/talk.py")
    code = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/talk/"}
    runner.sagemaker.create_training_job(
        TrainingJobName="two",
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/talk.py", marker],
        },
        InputDataConfig=[{"ChannelName": "code", "DataSource": {"S3DataSource": code}}],
        ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    until(lambda: lines(runner) == {"algo-1": ["algo-1 is up"], "algo-2": ["algo-2 is up"]})
    own.kill()
    until(lambda: not processes_with(marker))

    runner = Runner(own.start())
    runner.s3.put_object(Bucket=BUCKET, Key="go", Body=b"")
    describe = runner.sagemaker.describe_training_job
    until(lambda: describe(TrainingJobName="two")["TrainingJobStatus"] != "InProgress")
    job = describe(TrainingJobName="two")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines(runner))
    archive = runner.s3.get_object(Bucket=BUCKET, Key="models/two/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as model:
        found = {member.name: model.extractfile(member).read() for member in model}  # type: ignore[union-attr]
    assert found == {"algo-1": b"algo-2", "algo-2": b"algo-1"}


def lines(runner: Runner) -> dict[str, list[str]]:
    """What each host wrote."""
    group = "/aws/sagemaker/TrainingJobs"
    try:
        streams = runner.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="two/")["logStreams"]
    except runner.logs.exceptions.ResourceNotFoundException:
        return {}
    return {
        stream["logStreamName"].removeprefix("two/").rpartition("-")[0]: [
            event["message"]
            for event in runner.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
        for stream in streams
    }
