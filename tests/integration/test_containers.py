"""Jobs in real containers: an emulator with ISOLATION=podman or docker, images built from definitions."""

import io
import os
import shutil
import tarfile

import pytest

from emulator.images.engine import NAMES, Engine, EngineError
from tests.emulator.launchers import machine_image
from tests.integration.emulators import CONTAINERS, Emulator, until
from tests.integration.small_pipelines import BUCKET, ROLE, Runner
from tests.integration.transform_desk import Desk

pytestmark = pytest.mark.containers
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DOCKERFILE = f"""
FROM {machine_image.REFERENCE}
RUN echo "only an engine runs this" > /built
COPY . /opt/program
"""


@pytest.fixture(scope="module", params=NAMES)
def contained(request, tmp_path_factory):
    """The emulator, with its containers folder."""
    try:
        engine = Engine.find(request.param)
    except EngineError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("contained")
    machine_image.make(engine, folder / "image")
    for name, program in (("adder", "serve.py"), ("hill", "train.py"), ("plain", "")):
        shutil.copytree(CONTAINERS / name, folder / "containers" / name)
        command = f'ENTRYPOINT ["python3", "/opt/program/{program}"]\n' if program else ""
        (folder / "containers" / name / "Dockerfile").write_text(DOCKERFILE + command)
    (folder / "containers/plain/boost.py").write_text(BOOST)
    emulator = Emulator(folder / "data", isolation=request.param, containers_dir=folder / "containers")
    emulator.start()
    yield emulator
    emulator.stop()
    label = f"label=sagemaker-emulator={(folder / 'data').absolute()}"
    assert engine.call("ps", "--all", "--quiet", "--filter", label) == ""


@pytest.fixture(scope="module")
def calls(contained):
    return Runner(contained)


def ended(describe, member):
    def probe():
        job = describe()
        return job if job[member] in ("Completed", "Failed", "Stopped") else None

    return until(probe, 60, 0.05)


def process(calls, name, script, image="plain", **members):
    calls.sagemaker.create_processing_job(
        ProcessingJobName=name,
        AppSpecification={
            "ImageUri": f"{REGISTRY}/{image}:1",
            "ContainerEntrypoint": ["/bin/sh", "-c"],
            "ContainerArguments": [script],
        },
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        RoleArn=ROLE,
        **members,
    )


def processed(calls, name):
    return ended(lambda: calls.sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus")


def test_a_processing_job(calls):
    calls.s3.put_object(Bucket=BUCKET, Key="numbers/a.txt", Body=b"41\n")
    given = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/processing/input"}
    output = {"S3Uri": f"s3://{BUCKET}/sums", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    process(
        calls, "sums",
        "cat /built; echo $(($(cat /opt/ml/processing/input/a.txt) + 1)) > /opt/ml/processing/output/sum",
        ProcessingInputs=[{"InputName": "numbers", "S3Input": {"S3Uri": f"s3://{BUCKET}/numbers/", **given}}],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "sums", "S3Output": output}]},
    )  # fmt: skip
    job = processed(calls, "sums")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert calls.s3.get_object(Bucket=BUCKET, Key="sums/sum")["Body"].read() == b"42\n"
    assert "only an engine runs this" in _log(calls, "sums")


def test_a_job_that_is_stopped(calls):
    process(calls, "stopped", "echo ready; sleep 60")
    until(lambda: "ready" in _log(calls, "stopped"), 60)
    calls.sagemaker.stop_processing_job(ProcessingJobName="stopped")
    assert processed(calls, "stopped")["ProcessingJobStatus"] == "Stopped"


def test_an_image_that_nobody_has(calls):
    process(calls, "nobody", "true", image="nobody-has-this")
    job = processed(calls, "nobody")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "Cannot pull algorithm container" in job["FailureReason"]
    assert "There is no image" in job["FailureReason"]


def test_a_training_job(calls):
    calls.sagemaker.create_training_job(
        TrainingJobName="hill",
        AlgorithmSpecification={
            "TrainingImage": f"{REGISTRY}/hill:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=(\\S+);"}],
        },
        HyperParameters={"x": "3", "epochs": "2"},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        RoleArn=ROLE,
    )
    job = ended(lambda: calls.sagemaker.describe_training_job(TrainingJobName="hill"), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Completed", job
    assert job["FinalMetricDataList"][0]["Value"] == -0.5


BOOST = """
import pathlib, socket, time
import numpy, xgboost
from xgboost import collective
from xgboost.tracker import RabitTracker
me = socket.gethostname()
first = socket.gethostbyname("algo-1")
assert socket.gethostbyaddr(first)[0] == "algo-1"
if me == "algo-1":
    tracker = RabitTracker(2, first, 9099)
    tracker.start()
    ready = socket.create_server((first, 9098))
while me == "algo-2":
    try:
        socket.create_connection((first, 9098)).close()
        break
    except OSError:
        time.sleep(0.05)
features = numpy.arange(40.0).reshape(20, 2)[me == "algo-2" :: 2]
where = {"dmlc_tracker_uri": first, "dmlc_tracker_port": 9099}
with collective.CommunicatorContext(dmlc_communicator="rabit", **where):
    rows = collective.allreduce(numpy.array([float(len(features))]), collective.Op.SUM)
    model = xgboost.train({"nthread": 1}, xgboost.DMatrix(features, features.sum(axis=1)), 3)
print(f"{me} rows={rows[0]:g};")
pathlib.Path(f"/opt/ml/model/{me}").write_bytes(model.save_raw("json"))
"""


def test_xgboost_trains_over_two_instances_without_a_way_outside(contained, calls):
    if Engine.find(contained.environ["EMULATOR_ISOLATION"]).rootless:
        pytest.skip("an engine without root joins no hosts")
    calls.sagemaker.create_training_job(
        TrainingJobName="boost",
        AlgorithmSpecification={
            "TrainingImage": f"{REGISTRY}/plain:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/program/boost.py"],
            "MetricDefinitions": [{"Name": "rows", "Regex": "rows=(\\S+);"}],
        },
        EnableNetworkIsolation=True,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        RoleArn=ROLE,
    )
    job = ended(lambda: calls.sagemaker.describe_training_job(TrainingJobName="boost"), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Completed", job
    assert job["FinalMetricDataList"][0]["Value"] == 20
    archive = calls.s3.get_object(Bucket=BUCKET, Key="models/boost/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as model:
        one, two = (model.extractfile(f"algo-{number}").read() for number in (1, 2))
    assert one == two


@pytest.fixture(scope="module")
def own_desk(contained, calls):
    return Desk(contained, calls)


def test_a_transform_job_on_two_instances(own_desk):
    desk = own_desk
    for name in "abc":
        desk.put(f"contained/in/{name}.csv", b"1,2\n3\n")
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    desk.run("contained", output={"AssembleWith": "Line"}, TransformResources=resources)
    assert [desk.get(key) for key in desk.keys("contained/out/")] == ["6\n6\n"] * 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root enters the network of a container")
def test_a_transform_job_without_a_network(own_desk, calls):
    container = calls.sagemaker.describe_model(ModelName="adder")["PrimaryContainer"]
    calls.sagemaker.create_model(
        ModelName="isolated", PrimaryContainer=container, ExecutionRoleArn=ROLE, EnableNetworkIsolation=True
    )
    desk = own_desk
    desk.put("isolated/in/a.csv", b"1,2\n")
    desk.run("isolated", model="isolated")
    assert desk.get("isolated/out/a.csv.out") == "6"


def _log(calls, name):
    group = "/aws/sagemaker/ProcessingJobs"
    streams = calls.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    if not streams:
        return ""
    found = calls.logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])
    return "\n".join(event["message"] for event in found["events"])
