"""Transform jobs: create, describe, list, stop."""

from __future__ import annotations

from typing import Any

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.jobs.transform.association import Association
from emulator.jobs.transform.capture import inference_time
from emulator.jobs.transform.formats import FormatError
from emulator.jobs.transform.framing import FRAMINGS
from emulator.jobs.transform.instances import CONTAINERS
from emulator.jobs.transform.jsonpath import JsonPathError
from emulator.jobs.transform.parameters import MAX_PAYLOAD_MIB
from emulator.jobs.transform.transform import KIND
from emulator.services.context import Context
from emulator.services.sagemaker.jobs import JobFamily
from emulator.services.sagemaker.model_packages import find_package
from emulator.services.sagemaker.models import find_model
from emulator.store.objects import parse_s3_uri
from emulator.store.resources import Resource

FAMILY = JobFamily(KIND, "TransformJob", "transform job")
_OWN_MEMBERS = (CONTAINERS, "EnableNetworkIsolation", "RoleArn")
"""Of the model, kept with the job: a model may be deleted while its jobs run."""


@operation("sagemaker", "CreateTransformJob")
def create_transform_job(request: Request, context: Context) -> Response:
    body = dict(request)
    _validate(body)
    body |= _served(find_model(context, body["ModelName"]), context)
    servers = body["TransformResources"]["InstanceCount"] * len(body[CONTAINERS])
    if servers > context.app.jobs.max_servers:
        FAMILY.check_hosts(context, servers)
    return {"TransformJobArn": FAMILY.create(context, body).arn}


@operation("sagemaker", "DescribeTransformJob")
def describe_transform_job(request: Request, context: Context) -> Response:
    job = FAMILY.find(request, context)
    return {name: value for name, value in job.body.items() if name not in _OWN_MEMBERS} | FAMILY.described(job)


@operation("sagemaker", "ListTransformJobs")
def list_transform_jobs(request: Request, context: Context) -> Response:
    members = ("TransformEndTime", "FailureReason")
    return FAMILY.list(request, context, lambda job: {name: job.body.get(name) for name in members})


@operation("sagemaker", "StopTransformJob")
def stop_transform_job(request: Request, context: Context) -> Response:
    return FAMILY.stop(request, context)


def _served(model: Resource, context: Context) -> dict[str, Any]:
    containers = model.body.get("Containers") or [model.body["PrimaryContainer"]]
    if any(container.get("Mode") == "MultiModel" for container in containers):
        raise ValidationException("Multi-model containers are not supported for batch transform.")
    if (model.body.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct":
        raise ValidationException("InferenceExecutionConfig.Mode Direct is not supported for batch transform.")
    resolved = [described for container in containers for described in _resolved(container, context)]
    isolated = model.body.get("EnableNetworkIsolation", False)
    return {CONTAINERS: resolved, "EnableNetworkIsolation": isolated, "RoleArn": model.body.get("ExecutionRoleArn", "")}


def _resolved(container: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """The container, or those of the model package that it names, with the environment that the model adds."""
    package = container.get("ModelPackageName")
    if package is None:
        return [container]
    inference = find_package(context, package).body.get("InferenceSpecification") or {}
    described = [found for found in inference.get("Containers") or [] if found.get("Image")]
    if not described:
        raise ValidationException(f"Model package {package} has no inference specification to serve.")
    return [
        {**found, "Environment": {**found.get("Environment", {}), **container.get("Environment", {})}}
        for found in described
    ]


def _validate(body: dict[str, Any]) -> None:
    given = body["TransformInput"]
    source = given["DataSource"]["S3DataSource"]
    parse_s3_uri(source["S3Uri"])
    parse_s3_uri(body["TransformOutput"]["S3OutputPath"])
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise ValidationException(f"S3DataType {source['S3DataType']} is not supported for batch transform.")
    if "DataCaptureConfig" in body:
        parse_s3_uri(body["DataCaptureConfig"]["DestinationS3Uri"])
    _check_limits(body)
    _check_processing(body, given.get("SplitType", "None"))


def _check_limits(body: dict[str, Any]) -> None:
    concurrent, payload = body.get("MaxConcurrentTransforms") or 1, body.get("MaxPayloadInMB")
    if payload is not None and payload > MAX_PAYLOAD_MIB:
        raise ValidationException(f"MaxPayloadInMB must not be greater than {MAX_PAYLOAD_MIB}, but it is {payload}.")
    if payload is not None and concurrent * payload > MAX_PAYLOAD_MIB:
        raise ValidationException(
            "The product of MaxConcurrentTransforms and MaxPayloadInMB must not be greater than"
            f" {MAX_PAYLOAD_MIB} MB, but it is {concurrent * payload}."
        )


def _check_processing(body: dict[str, Any], split: str) -> None:
    """Records are looked into where they are filtered, joined, or given an inference id."""
    content_type, by_line = body["TransformInput"].get("ContentType"), split == "Line"
    given, stamped_at = body.get("DataProcessing", {}), inference_time(body, 0.0)
    try:
        association = Association.of(given, content_type, by_line=by_line, stamped_at=stamped_at)
    except (FormatError, JsonPathError) as error:
        raise ValidationException(f"DataProcessing: {error}") from error
    if association.fmt is None:
        return
    if split in FRAMINGS:
        raise ValidationException(f"DataProcessing: SplitType {split} is not supported; Line and None are.")
    if association.fmt.name == "CSV" and not by_line:
        raise ValidationException("DataProcessing: for text/csv, SplitType must be Line.")
