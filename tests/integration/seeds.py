"""A little of everything in an emulator, so that requests have something to find."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from emulator.aws.errors import AwsError
from emulator.services.context import App
from emulator.store.resources import Scope
from tests.integration.functions import zipped
from tests.integration.small_pipelines import IMAGE, ROLE, definition

SCOPE = Scope("123456789012", "us-east-1")
BUCKET = "fuzz"
QUEUE_URL = "http://127.0.0.1:4570/123456789012/first"
_FAIL = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
_RESOURCES = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}
_CONTAINER = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/key"}
_SEEDS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "sagemaker",
        "CreatePipeline",
        {
            "PipelineName": "first",
            "PipelineDefinition": definition(_FAIL),  # type: ignore[arg-type]
            "RoleArn": ROLE,
            "ClientRequestToken": "c" * 32,
        },
    ),
    ("sagemaker", "StartPipelineExecution", {"PipelineName": "first", "ClientRequestToken": "t" * 32}),
    (
        "sagemaker",
        "CreateProcessingJob",
        {
            "ProcessingJobName": "first",
            "RoleArn": ROLE,
            "ProcessingResources": _RESOURCES,
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        },
    ),
    ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "first"}),
    (
        "sagemaker",
        "CreateModelPackage",
        {
            "ModelPackageGroupName": "first",
            "InferenceSpecification": {"Containers": [_CONTAINER], "SupportedContentTypes": ["text/csv"]},
        },
    ),
    ("sagemaker", "CreateModel", {"ModelName": "first", "PrimaryContainer": _CONTAINER, "ExecutionRoleArn": ROLE}),
    ("iam", "CreateRole", {"RoleName": "first", "AssumeRolePolicyDocument": '{"Version":"2012-10-17","Statement":[]}'}),
    ("sqs", "CreateQueue", {"QueueName": "first"}),
    (
        "lambda",
        "CreateFunction",
        {
            "FunctionName": "first",
            "Runtime": "python3.11",
            "Role": ROLE,
            "Handler": "app.handler",
            "Code": {"ZipFile": zipped("def handler(event, context): return event")},
        },
    ),
    ("logs", "CreateLogGroup", {"logGroupName": "first"}),
    ("logs", "CreateLogStream", {"logGroupName": "first", "logStreamName": "first"}),
    (
        "logs",
        "PutLogEvents",
        {
            "logGroupName": "first",
            "logStreamName": "first",
            "logEvents": [{"timestamp": int(time.time() * 1000), "message": "m"}],
        },
    ),
]


def plant(app: App) -> None:
    """Put everything there that is not; what fuzzing deleted comes back."""
    app.objects.create_bucket(SCOPE, BUCKET)
    app.objects.put_bytes(BUCKET, "key", b"content")
    for service, operation, request in _SEEDS:
        with suppress(AwsError):
            app.invoke(SCOPE, service, operation, request)


def known_names(app: App) -> list[str]:
    """Names and ARNs that exist."""
    rows = app.resources.database.read("SELECT name, arn FROM resources ORDER BY id DESC LIMIT 25")
    return [
        "first",
        "first",
        QUEUE_URL,
        BUCKET,
        "key",
        IMAGE,
        ROLE,
        *(text for row in rows for text in (row["arn"], row["name"])),
    ]
