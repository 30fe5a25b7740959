"""Processing jobs: create, describe, list, stop, delete."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from emulator.aws.errors import ValidationException, not_yet
from emulator.aws.operations import Request, Response, operation
from emulator.jobs.hosts import cluster
from emulator.jobs.plan import DEFAULT_MAX_RUNTIME
from emulator.jobs.processing import KIND, LOCAL_ROOT
from emulator.services.context import Context
from emulator.services.sagemaker.instance_preferences import selected
from emulator.services.sagemaker.jobs import JobFamily
from emulator.store.objects import parse_s3_uri

FAMILY = JobFamily(KIND, "ProcessingJob", "processing job")


@operation("sagemaker", "CreateProcessingJob")
def create_processing_job(request: Request, context: Context) -> Response:
    body = dict(request)
    body.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME})
    _validate(body)
    FAMILY.check_hosts(context, len(cluster(body["ProcessingResources"]["ClusterConfig"])))
    return {"ProcessingJobArn": FAMILY.create(context, body).arn}


@operation("sagemaker", "DescribeProcessingJob")
def describe_processing_job(request: Request, context: Context) -> Response:
    job = FAMILY.find(request, context)
    return job.body | FAMILY.described(job)


@operation("sagemaker", "ListProcessingJobs")
def list_processing_jobs(request: Request, context: Context) -> Response:
    members = ("ProcessingEndTime", "FailureReason", "ExitMessage")
    return FAMILY.list(request, context, lambda job: {name: job.body.get(name) for name in members})


@operation("sagemaker", "StopProcessingJob")
def stop_processing_job(request: Request, context: Context) -> Response:
    return FAMILY.stop(request, context)


@operation("sagemaker", "DeleteProcessingJob")
def delete_processing_job(request: Request, context: Context) -> Response:
    FAMILY.delete(context, FAMILY.find(request, context))
    return {}


def _validate(body: dict[str, Any]) -> None:
    where = "ProcessingResources.ClusterConfig"
    resources = selected(body["ProcessingResources"]["ClusterConfig"], where)
    body["ProcessingResources"] = {**body["ProcessingResources"], "ClusterConfig": resources}
    for member in () if resources.get("InstancePreferences") else ("InstanceCount", "InstanceType"):
        if member not in resources:
            raise ValidationException(f"{where}.{member} must be given")
    inputs, outputs = body.get("ProcessingInputs", []), body.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _unique([item["InputName"] for item in inputs], "ProcessingInputs", "InputName")
    _unique([item["OutputName"] for item in outputs], "ProcessingOutputConfig.Outputs", "OutputName")
    _unique([path for path in map(_input_path, inputs) if path], "ProcessingInputs", "LocalPath")
    _unique([path for path in map(_output_path, outputs) if path], "ProcessingOutputConfig.Outputs", "LocalPath")


def _input_path(item: dict[str, Any]) -> str | None:
    """Check an input; its folder, if SageMaker is to bring its data there."""
    name = item["InputName"]
    if "DatasetDefinition" in item:
        path: str | None = item["DatasetDefinition"].get("LocalPath")
        return path
    if "S3Input" not in item:
        raise ValidationException(f"Input {name} must have an S3Input or a DatasetDefinition")
    source = item["S3Input"]
    path = _managed_path("Input", name, item, "S3Input")
    gzipped = source.get("S3CompressionType", "None") != "None"
    if path is not None and gzipped and source.get("S3InputMode", "File") != "Pipe":
        raise ValidationException(f"Input {name}: S3CompressionType Gzip can only be used with S3InputMode Pipe")
    return path


def _output_path(item: dict[str, Any]) -> str | None:
    """Check an output; its folder, if SageMaker is to upload its files."""
    name = item["OutputName"]
    if "FeatureStoreOutput" in item:
        raise not_yet(f"ProcessingOutputConfig.Outputs[{name}].FeatureStoreOutput", "output to a feature group")
    if "S3Output" not in item:
        raise ValidationException(f"Output {name} must have an S3Output or a FeatureStoreOutput")
    return _managed_path("Output", name, item, "S3Output")


def _managed_path(what: str, name: str, item: dict[str, Any], member: str) -> str | None:
    """Check the S3 side of an input or output; its folder, unless the application moves the data itself."""
    place = item[member]
    parse_s3_uri(place["S3Uri"])
    if item.get("AppManaged"):
        return None
    path = place.get("LocalPath")
    if not path:
        raise ValidationException(
            f'{what} {name} missing one or more required fields for SageMaker-managed {member}: "LocalPath"'
        )
    pure = PurePosixPath(path)
    if not pure.is_relative_to(LOCAL_ROOT) or ".." in pure.parts or pure == PurePosixPath(LOCAL_ROOT):
        raise ValidationException(
            f"LocalPath {path} of {what.lower()} {name} must be an absolute path below {LOCAL_ROOT}/"
        )
    return str(pure)


def _unique(values: list[str], where: str, member: str) -> None:
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValidationException(f"{where}: each {member} must be unique, but {twice} is there twice")
