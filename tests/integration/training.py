"""Training jobs of small Python programs on a real emulator, through boto3."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, IMAGE, ROLE, Runner

ENDED = ("Completed", "Failed", "Stopped")


def channel(name: str, uri: str, **members: Any) -> dict[str, Any]:
    """``members`` beside those of ``S3DataSource``, which ``source`` has."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, **members.pop("source", {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **members}


class Trainer:
    """Starts jobs whose program, Python's source, is a channel of its own, and follows them."""

    def __init__(self, runner: Runner) -> None:
        self.sagemaker = runner.sagemaker
        self.s3 = runner.s3
        self.logs = runner.logs

    def start(self, name: str, program: str, *channels: dict[str, Any], mode: str = "File", **members: Any) -> None:
        code = self.put(f"programs/{name}/program.py", program.encode())
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": mode,
                "ContainerEntrypoint": ["python3", "-u", "/opt/ml/input/data/program/program.py"],
            },
            "InputDataConfig": [*channels, channel("program", code, InputMode="File")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/trained"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        self.sagemaker.create_training_job(**(request | members))

    def describe(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return document

    def ended(self, name: str, status: str | None = None) -> dict[str, Any]:
        def probe() -> dict[str, Any] | None:
            job = self.describe(name)
            return job if job["TrainingJobStatus"] in ENDED else None

        job: dict[str, Any] = until(probe, 60, 0.02)
        if status is not None:
            assert job["TrainingJobStatus"] == status, job.get("FailureReason", self.log(name))
        return job

    def run(self, name: str, program: str, *channels: dict[str, Any], status: str = "Completed", **members: Any) -> Any:
        self.start(name, program, *channels, **members)
        return self.ended(name, status)

    def secondary(self, name: str) -> list[str]:
        return [transition["Status"] for transition in self.describe(name)["SecondaryStatusTransitions"]]

    def log(self, name: str) -> list[str]:
        group = "/aws/sagemaker/TrainingJobs"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        return [
            event["message"]
            for stream in streams
            for event in self.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def put(self, key: str, data: bytes) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> bytes:
        data: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data

    def keys(self, prefix: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def model(self, name: str) -> dict[str, bytes]:
        """The members of a job's model."""
        with tarfile.open(fileobj=io.BytesIO(self.get(f"trained/{name}/output/model.tar.gz"))) as archive:
            files = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
            return {path: file.read() for path, file in files if file is not None}
