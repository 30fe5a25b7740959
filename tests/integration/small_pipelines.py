"""Small pipelines for tests, written by hand as the definition JSON that AWS documents."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.emulators import until

BUCKET = "sagemaker-us-east-1-123456789012"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain:latest"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
ENDED = {"Succeeded", "Failed", "Stopped", "CompletedWithFailures"}


def processing_step(
    name: str,
    script: str = "code/script.py",
    *,
    arguments: list[Any] | None = None,
    inputs: dict[str, str] | None = None,
    outputs: list[str] | None = None,
    depends_on: list[str] | None = None,
    max_runtime: int = 600,
) -> dict[str, Any]:
    """A Processing step that runs ``s3://BUCKET/<script>`` under Python."""
    channels = {"code": f"s3://{BUCKET}/{script}", **(inputs or {})}
    step: dict[str, Any] = {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", f"/opt/ml/processing/input/code/{script.rsplit('/', 1)[-1]}"],
            },
            "RoleArn": ROLE,
            "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime},
            "ProcessingInputs": [
                {
                    "InputName": channel,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{channel}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for channel, uri in channels.items()
            ],
            "ProcessingOutputConfig": {"Outputs": [_output(name, output) for output in outputs or []]},
        },
    }
    if arguments:
        step["Arguments"]["AppSpecification"]["ContainerArguments"] = arguments
    if depends_on:
        step["DependsOn"] = depends_on
    return step


def _output(step: str, output: str) -> dict[str, Any]:
    uri = ["s3:/", BUCKET, {"Get": "Execution.PipelineExecutionId"}, step, output]
    return {
        "OutputName": output,
        "S3Output": {
            "S3Uri": {"Std:Join": {"On": "/", "Values": uri}},
            "LocalPath": f"/opt/ml/processing/{output}",
            "S3UploadMode": "EndOfJob",
        },
    }


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)})


class Runner:
    """Uploads scripts, creates pipelines and runs them to their end."""

    def __init__(self, emulator: Any) -> None:
        self.sagemaker = emulator.client("sagemaker")
        self.s3 = emulator.client("s3")
        self.logs = emulator.client("logs")
        self.s3.create_bucket(Bucket=BUCKET)

    def upload(self, source: str, key: str = "code/script.py") -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=source.encode())

    def create(
        self, *steps: dict[str, Any], name: str = "small", parameters: list[dict[str, Any]] | None = None
    ) -> str:
        arn: str = self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=definition(*steps, parameters=parameters),
            RoleArn=ROLE,
            ClientRequestToken=f"{name:x<32}",
        )["PipelineArn"]
        return arn

    def start(self, name: str = "small", **parameters: str) -> str:
        arn: str = self.sagemaker.start_pipeline_execution(
            PipelineName=name, PipelineParameters=[{"Name": key, "Value": value} for key, value in parameters.items()]
        )["PipelineExecutionArn"]
        return arn

    def ended(self, execution: str, seconds: float = 60.0) -> dict[str, Any]:
        """The description of an execution once it has ended."""

        def probe() -> Any:
            description = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            return description if description["PipelineExecutionStatus"] in ENDED else None

        description: dict[str, Any] = until(probe, seconds)
        return description

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        pages = self.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=execution)
        return {step["StepName"]: step for page in pages for step in page["PipelineExecutionSteps"]}

    def run(self, *steps: dict[str, Any], name: str = "small") -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Create a pipeline of these steps, run it, and give the execution and its steps."""
        self.create(*steps, name=name)
        execution = self.start(name)
        return self.ended(execution), self.steps(execution)

    def log(self, step: dict[str, Any], group: str = "/aws/sagemaker/ProcessingJobs") -> str:
        job = step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        events = self.logs.get_log_events(
            logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=False
        )["events"]
        return "\n".join(event["message"] for event in events)
