"""A small emulator around the supervisor of jobs, with a launcher that runs programs without any sandbox.

Programs find their ``/opt/ml`` in ``$ML``; in their arguments ``/opt/ml`` is replaced.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from emulator.aws.operations import find
from emulator.images import Environment, ImageNotFound
from emulator.jobs.jobs import Jobs
from emulator.launchers.launcher import Exit, Lan, Launcher, Process
from emulator.services import logs as _logs  # noqa: F401 - registers its operations
from emulator.services.context import App, Context
from emulator.services.sagemaker import processing_jobs, training_jobs  # noqa: F401 - register their operations
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.log_streams import LogResourceNotFound, LogStreams
from emulator.store.objects import ObjectStore
from emulator.store.resources import SCHEMA, Resources, Scope

SCOPE = Scope("123456789012", "us-east-1")
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/processing:1"
BUCKET = "data"


class PlainProcess(Process):
    def __init__(self, launch, mounted):
        self._launch = launch
        self._mounted = mounted
        ml = str(launch.directory / "ml")
        env = {"PATH": os.environ["PATH"], **launch.env, "ML": ml}
        self._popen = subprocess.Popen(
            [argument.replace("/opt/ml", ml) for argument in launch.command],
            env=env,
            cwd=launch.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        with self._popen.stdout as pipe:
            while chunk := pipe.read1(65536):
                self._launch.output(chunk)

    def wait(self, timeout=None):
        try:
            code = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._reader.join()
        for place in self._mounted:
            shutil.rmtree(place, ignore_errors=True)
        number = -code if code < 0 else None
        return Exit(code=128 + number if number else code, signal=number, out_of_memory=code == 137)

    def terminate(self):
        self._popen.terminate()

    def kill(self):
        if self._popen.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)


class PlainLan(Lan):
    def __init__(self, hosts):
        self.addresses = dict.fromkeys(hosts, "127.0.0.1")

    def close(self):
        pass


class PlainLauncher(Launcher):
    joins_hosts = True
    name = "plain"
    isolation = "tests"
    description = "no sandbox"

    def __init__(self):
        self.launches = []
        self.warmed = []

    def launch(self, launch):
        self.launches.append(launch)
        mounted = []
        for mount in launch.mounts:
            place = launch.directory / "ml" / Path(mount.target).relative_to("/opt/ml")
            shutil.copytree(mount.source, place, dirs_exist_ok=True, copy_function=shutil.copyfile)
            mounted.append(place)
        return PlainProcess(launch, mounted)

    def lan(self, environment, hosts, *, outside):
        return PlainLan(hosts)

    def warm_up(self, environment):
        self.warmed.append(environment.name)

    def close(self):
        pass


class OneImage:
    """Knows the image ``processing``; ``boom`` breaks inside, everything else is unknown."""

    def resolve(self, uri, python=""):
        name = uri.rpartition("/")[2].partition(":")[0]
        if name == "boom":
            raise RuntimeError("the image cache is broken")
        if name != "processing":
            raise ImageNotFound(f"No image {uri}")
        return name

    def environment(self, image, progress):
        python = Path(sys.executable)
        return Environment(image, python, python.parent, [], [], {"FROM_IMAGE": "1"}, [], ["true"], "/", [])


class World:
    """One emulator's parts; ``restart`` is what a kill -9 and a new start make of it."""

    images = OneImage()

    def __init__(self, root, **settings):
        self.root = root
        self.settings = Settings(data_dir=root, **{"max_parallel_jobs": 4, "stop_grace_seconds": 5.0, **settings})
        self.launcher = self.make_launcher()
        self._build()
        self.objects.create_bucket(SCOPE, BUCKET)

    def make_launcher(self):
        return PlainLauncher()

    def _build(self):
        self.database = Database(self.root / "state.db", SCHEMA)
        self.resources = Resources(self.database)
        self.objects = ObjectStore(self.root / "objects")
        self.logs = LogStreams(self.root / "logs", self.database, self.settings.log_limit_mib << 20)
        self.jobs = Jobs(self.settings, self.resources, self.objects, self.logs, self.images, self.launcher)
        self.changed = threading.Condition()
        self.resources.subscribe(self._announced)
        app = App(self.settings, self.resources, self.objects, self.logs, self.jobs, None, None)
        self.context = Context(SCOPE, "request-1", app)

    def _announced(self, _resource):
        with self.changed:
            self.changed.notify_all()

    def call(self, operation, service="sagemaker", **request):
        return find(service, operation).handler(request, self.context)

    def wait(self, describe, status, seconds=60.0, **request):
        """Describe until the job has one of the statuses."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                answer = self.call(describe, **request)
                found = answer.get("ProcessingJobStatus") or answer.get("TrainingJobStatus")
                if found in ({status} if isinstance(status, str) else status):
                    return answer
                assert time.monotonic() < deadline, f"still {found}: {answer.get('FailureReason')}"
                self.changed.wait(0.2)

    def put(self, key, data=b""):
        self.objects.put_bytes(BUCKET, key, data)

    def get(self, key):
        return self.objects.read(BUCKET, key)

    def keys(self, prefix=""):
        return [stored.key for stored in self.objects.list_objects(BUCKET, prefix)]

    def log(self, kind, job):
        group = f"/aws/sagemaker/{kind}Jobs"
        streams = self.logs.streams(SCOPE, group, f"{job}/")
        return [event.message for stream in streams for event in self.logs.events(stream)]

    def restart(self):
        self._close_parts()
        self._build()

    def close(self):
        self._close_parts()
        self.launcher.close()

    def _close_parts(self):
        self.jobs.close()
        self.objects.close()
        self.database.close()

    def processing(self, name, script, *arguments, **members):
        """Create a Processing job that runs a shell script."""
        request = {
            "ProcessingJobName": name,
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["sh", "-c", script],
                **({"ContainerArguments": list(arguments)} if arguments else {}),
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
        }
        return self.call("CreateProcessingJob", **(request | members))

    def processed(self, name, status="Completed"):
        return self.wait("DescribeProcessingJob", status, ProcessingJobName=name)

    def training(self, name, script, channels=None, **members):
        """Create a Training job that runs a shell script."""
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sh", "-c", script],
            },
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        }
        if channels:
            request["InputDataConfig"] = [channel(name, uri) for name, uri in channels.items()]
        return self.call("CreateTrainingJob", **(request | members))

    def trained(self, name, status="Completed"):
        return self.wait("DescribeTrainingJob", status, TrainingJobName=name)


def channel(name, uri, **members):
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **members}}}


def s3_input(name, uri, path, **members):
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **members}
    return {"InputName": name, "S3Input": source}


def s3_output(name, path, uri, mode="EndOfJob"):
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


def outputs(*items):
    return {"Outputs": list(items)}


def until(condition, seconds=10.0):
    """Wait until a condition holds; a log that is not there yet is a condition that does not hold yet."""
    deadline = time.monotonic() + seconds
    while not _holds(condition):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _holds(condition):
    try:
        return condition()
    except LogResourceNotFound:
        return False
