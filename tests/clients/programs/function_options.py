"""Remote functions with the options of both SDKs, and what crosses between client and job; only the imports differ."""

import json
import os
import sys
import threading
import time
import traceback
from importlib.metadata import version
from pathlib import Path

import boto3

if version("sagemaker").startswith("2."):
    from sagemaker import session as waiting
    from sagemaker.remote_function import CheckpointLocation, RemoteExecutor, remote
    from sagemaker.remote_function.client import get_future
    from sagemaker.remote_function.custom_file_filter import CustomFileFilter

    SDK = "sagemaker<3"
else:
    from sagemaker.core.remote_function import CheckpointLocation, RemoteExecutor, remote
    from sagemaker.core.remote_function import job as waiting
    from sagemaker.core.remote_function.client import get_future
    from sagemaker.core.remote_function.custom_file_filter import CustomFileFilter

    SDK = f"sagemaker-core=={version('sagemaker-core')}"


class Hasty:
    """The SDKs ask for a job every 30 seconds; these tests would take an hour of waiting."""

    def __getattr__(self, name):
        return getattr(time, name)

    def time(self):
        return time.time() * 15

    def sleep(self, seconds):
        time.sleep(seconds / 15)


waiting.time = Hasty()
BUCKET = "sagemaker-us-east-1-123456789012"
BASE_PYTHON = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
SETTINGS = {
    "image_uri": sys.argv[1],
    "instance_type": "ml.m5.large",
    "role": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
}
CONDA = f"""
name: mine
channels: [conda-forge]
dependencies:
  - python={sys.version_info.major}.{sys.version_info.minor}
  - openssl=3
  - six=1.17
  - pip:
      - {SDK}
"""
DEFAULTS = f"""
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      RemoteFunction:
        ImageUri: '{SETTINGS["image_uri"]}'
        InstanceType: ml.m5.large
        RoleArn: '{SETTINGS["role"]}'
        EnvironmentVariables: {{COLOUR: green}}
        PreExecutionCommands: ['echo two > said']
        S3RootUri: 's3://{BUCKET}/defaults'
        Tags: [{{Key: team, Value: data}}]
"""
WORK = Path("work").absolute()


def outcome(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def conda():
    file = WORK.parent / "environment.yml"
    file.write_text(CONDA)
    plain = {**SETTINGS, "image_uri": BASE_PYTHON}

    @remote(dependencies=str(file), **plain)
    def made():
        import six

        return [sys.prefix, six.__version__]

    @remote(job_conda_env="absent", **plain)
    def absent():
        return 1

    return {"made": made(), "absent": outcome(absent)}


def workdir():
    (WORK / "local").mkdir(parents=True)
    (WORK / "local" / "__init__.py").write_text("")
    (WORK / "local" / "shapes.py").write_text(
        "class Square:\n    def __init__(self, side):\n        self.side = side\n"
    )
    (WORK / "notes.txt").write_text("not a module")
    os.chdir(WORK)
    sys.path.insert(0, str(WORK))
    from local.shapes import Square

    def area(square):
        return [square.side**2, sorted(os.listdir("."))]

    only_code = CustomFileFilter(ignore_name_patterns=["*.txt"])
    with_it = remote(include_local_workdir=True, custom_file_filter=only_code, **SETTINGS)(area)
    return {"with": with_it(Square(3)), "without": outcome(lambda: remote(**SETTINGS)(area)(Square(3)))}


def commands():
    @remote(pre_execution_commands=["echo one > said", "pip install six==1.17.0"], **SETTINGS)
    def after():
        return Path("said").read_text()

    @remote(pre_execution_commands=["surely-no-program --x"], **SETTINGS)
    def never():
        return 1

    return {"after": after(), "never": outcome(never)}


def settings():
    @remote(
        job_name_prefix="with-settings",
        environment_variables={"COLOUR": "blue"},
        s3_root_uri=f"s3://{BUCKET}/root/of/functions",
        max_retry_attempts=3,
        max_runtime_in_seconds=600,
        max_wait_time_in_seconds=700,
        use_spot_instances=True,
        volume_size=11,
        encrypt_inter_container_traffic=True,
        tags=[{"Key": "team", "Value": "data"}],
        **SETTINGS,
    )
    def colour():
        return os.environ["COLOUR"]

    said = colour()
    sagemaker = boto3.client("sagemaker")
    found = sagemaker.list_training_jobs(NameContains="with-settings", SortBy="CreationTime", SortOrder="Descending")
    job = found["TrainingJobSummaries"][0]
    found = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    return {
        "said": said,
        "attempts": found["RetryStrategy"]["MaximumRetryAttempts"],
        "spot": found["EnableManagedSpotTraining"],
        "volume": found["ResourceConfig"]["VolumeSizeInGB"],
        "root": found["OutputDataConfig"]["S3OutputPath"].startswith(f"s3://{BUCKET}/root/of/functions/with-settings"),
        "tags": sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"],
    }


def defaults():
    Path("config.yaml").write_text(DEFAULTS)
    os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] = os.getcwd()

    @remote
    def told():
        return [os.environ["COLOUR"], Path("said").read_text()]

    return told()


def errors():
    class OddError(ValueError):
        def __init__(self, first, second):
            super().__init__(first, second)
            self.second = second

    @remote(**SETTINGS)
    def odd():
        raise OddError("a", {"b": 1}) from KeyError("cause")

    try:
        odd()
    except ValueError as error:
        lines = "".join(traceback.format_tb(error.__traceback__))
        crossed = [type(error).__name__, error.args, error.second, repr(error.__cause__), "in odd" in lines]
    unpicklable = remote(**SETTINGS)(lambda: threading.Lock())
    return {"crossed": crossed, "result": outcome(unpicklable), "argument": outcome(lambda: unpicklable(1))}


def executor():
    def square(x):
        return x * x

    def slow():
        time.sleep(600)

    with RemoteExecutor(max_parallel_jobs=2, **SETTINGS) as pool:
        futures = [pool.submit(square, number) for number in range(3)]
    with RemoteExecutor(max_parallel_jobs=1, **SETTINGS) as pool:
        running, waiting = pool.submit(slow), pool.submit(slow)
        while not running.running():
            time.sleep(0.2)
        cancelled = [waiting.cancel(), waiting.cancelled(), running.cancel()]
    return {
        "results": [future.result() for future in futures],
        "again": get_future(futures[2]._job.job_name).result(),
        "cancelled": cancelled,
    }


def checkpoint():
    @remote(**SETTINGS)
    def add(path):
        file = Path(path, "state")
        file.write_text((file.read_text() if file.exists() else "") + "x")
        return file.read_text()

    location = f"s3://{BUCKET}/checkpoints/{time.time_ns()}"
    return [add(CheckpointLocation(location)), add(CheckpointLocation(location))]


if __name__ == "__main__":
    names = sys.argv[2:]
    print(json.dumps({name: globals()[name]() for name in names}))
