"""The least that IAM must allow for one pipeline: to the role that executes it, and to the role of CI.

Actions and resources follow the Service Authorization Reference ("Actions, resources, and condition keys for Amazon
SageMaker") and the Developer Guide ("SageMaker Roles", "CreateProcessingJob API: Execution Role Permissions", …).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from pipelines.definition import steps
from pipelines.environment import Environment

Statement = dict[str, Any]

JOBS = {
    "Processing": ("ProcessingJob", "processing-job", "ProcessingJobs"),
    "QualityCheck": ("ProcessingJob", "processing-job", "ProcessingJobs"),
    "ClarifyCheck": ("ProcessingJob", "processing-job", "ProcessingJobs"),
    "Training": ("TrainingJob", "training-job", "TrainingJobs"),
    "Transform": ("TransformJob", "transform-job", "TransformJobs"),
    "Tuning": ("HyperParameterTuningJob", "hyper-parameter-tuning-job", "TrainingJobs"),
    "AutoML": ("AutoMLJobV2", "automl-job", "ProcessingJobs"),
}
"""Step type to the noun of its operations, of its ARN, and of its log group."""
IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]+)")
NETWORK_ACTIONS = (
    *("ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"),
    *("ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
)


def execution_statements(definition: dict[str, Any], name: str, environment: Environment) -> list[Statement]:
    """What the role that executes the pipeline and its jobs must be allowed."""
    bodies = [step.body for step in steps(definition)]
    kinds = {body["Type"] for body in bodies}
    found = [*_job_statements(kinds, environment), *_registry_statements(bodies, environment)]
    found += [*_storage_statements(definition, environment), *_image_statements(bodies, environment)]
    if kinds & (set(JOBS) | {"Model", "Endpoint"}):
        condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        found.append(_statement("PassItself", ["iam:PassRole"], [environment.role]) | {"Condition": condition})
    found += [*_call_statements(bodies), *_environment_statements(environment)]
    return found


def ci_statements(name: str, deployed_name: str, environment: Environment) -> list[Statement]:
    """What the role of CI must be allowed to plan and upsert a pipeline; it starts nothing."""
    pipeline = _arn(environment, "sagemaker", f"pipeline/{deployed_name}")
    bucket = f"arn:{_partition(environment)}:s3:::{environment.bucket}"
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    read = ["DescribePipeline", "ListPipelineVersions", "ListTags"]
    write = ["CreatePipeline", "UpdatePipeline", "AddTags", "DeleteTags"]
    found = [
        _statement("Pipeline", [f"sagemaker:{action}" for action in (*read, *write)], [pipeline]),
        _statement("AssetsBucket", ["s3:ListBucket"], [bucket]),
        _statement(
            "Assets", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/{name}/assets/*", f"{bucket}/{name}/definitions/*"]
        ),
        _statement("PassExecutionRole", ["iam:PassRole"], [environment.role]) | {"Condition": condition},
    ]
    if environment.kms_key:
        found.append(_statement("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [environment.kms_key]))
    return found


def document(statements: list[Statement]) -> dict[str, Any]:
    """A policy document of statements."""
    return {"Version": "2012-10-17", "Statement": statements}


def is_allowed(policy: dict[str, Any], action: str, resource: str) -> bool:
    """Whether a policy document allows an action on a resource, conditions aside; a Deny goes before every Allow."""
    allowed = False
    statements = policy.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        if _matches(statement.get("Action"), action.lower(), str.lower) and _matches(
            statement.get("Resource"), resource
        ):
            if statement.get("Effect") == "Deny":
                return False
            allowed = True
    return allowed


def _matches(patterns: Any, text: str, change: Any = str) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns] if patterns else []
    return any(fnmatchcase(text, change(pattern).replace("[", "[[]")) for pattern in listed)


def _job_statements(kinds: set[str], environment: Environment) -> Iterator[Statement]:
    groups: dict[str, list[str]] = {}
    for kind in sorted(kinds & set(JOBS)):
        noun, resource, log_group = JOBS[kind]
        actions = [f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Stop")]
        arn = _arn(environment, "sagemaker", f"{resource}/*")
        yield _statement(f"{kind}Jobs", [*actions, "sagemaker:AddTags"], [arn])
        groups[log_group] = [_arn(environment, "logs", f"log-group:/aws/sagemaker/{log_group}", ":")]
        groups[log_group].append(f"{groups[log_group][0]}:log-stream:*")
    if groups:
        actions = ["CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"]
        resources = [arn for group in sorted(groups) for arn in groups[group]]
        yield _statement("Logs", [f"logs:{action}" for action in actions], resources)
        metrics = _statement("Metrics", ["cloudwatch:PutMetricData"], ["*"])
        namespaces = ["/aws/sagemaker/*", "aws/sagemaker/*"]
        yield metrics | {"Condition": {"StringLike": {"cloudwatch:namespace": namespaces}}}


def _registry_statements(bodies: list[dict[str, Any]], environment: Environment) -> Iterator[Statement]:
    models = [body for body in bodies if body["Type"] == "Model"]
    if models:
        actions = [f"sagemaker:{action}" for action in ("CreateModel", "DescribeModel", "AddTags")]
        yield _statement("Models", actions, [_arn(environment, "sagemaker", "model/*")])
    groups = {
        str((body.get("Arguments") or {}).get("ModelPackageGroupName", "*"))
        for body in bodies
        if body["Type"] == "RegisterModel"
    }
    if groups:
        names = sorted(group if re.fullmatch(r"[\w-]+", group) else "*" for group in groups)
        resources = [_arn(environment, "sagemaker", f"model-package-group/{name}") for name in names]
        resources += [_arn(environment, "sagemaker", f"model-package/{name}/*") for name in names]
        actions = ["CreateModelPackage", "CreateModelPackageGroup", "DescribeModelPackage", "DescribeModelPackageGroup"]
        yield _statement("Registry", [f"sagemaker:{action}" for action in (*actions, "AddTags")], resources)


def _storage_statements(definition: dict[str, Any], environment: Environment) -> Iterator[Statement]:
    partition = _partition(environment)
    buckets = sorted({environment.bucket, *BUCKET.findall(str(definition))})
    arns = [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]
    yield _statement("Buckets", ["s3:GetBucketLocation", "s3:ListBucket"], arns)
    yield _statement("ReadObjects", ["s3:GetObject"], [f"{arn}/*" for arn in arns])
    own = f"arn:{partition}:s3:::{environment.bucket}/*"
    yield _statement("WriteObjects", ["s3:AbortMultipartUpload", "s3:PutObject"], [own])


def _image_statements(bodies: list[dict[str, Any]], environment: Environment) -> Iterator[Statement]:
    found = sorted(set(IMAGE.findall(str(bodies))))
    if found:
        partition = _partition(environment)
        repositories = [f"arn:{partition}:ecr:{region}:{account}:repository/{name}" for account, region, name in found]
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        yield _statement("Images", actions, repositories)
        yield _statement("RegistryLogin", ["ecr:GetAuthorizationToken"], ["*"])


def _call_statements(bodies: list[dict[str, Any]]) -> Iterator[Statement]:
    functions = sorted({str(body["FunctionArn"]) for body in bodies if body["Type"] == "Lambda"})
    if functions:
        yield _statement("Functions", ["lambda:InvokeFunction"], functions)
    queues = sorted({_queue_arn(str(body["SqsQueueUrl"])) for body in bodies if body["Type"] == "Callback"})
    if queues:
        yield _statement("Queues", ["sqs:SendMessage"], queues)


def _environment_statements(environment: Environment) -> Iterator[Statement]:
    if environment.subnets:
        yield _statement("Network", list(NETWORK_ACTIONS), ["*"])
    if environment.kms_key:
        actions = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
        yield _statement("Key", actions, [environment.kms_key])


def _queue_arn(url: str) -> str:
    match = re.match(r"https?://sqs\.([a-z0-9-]+)\.[^/]+/(\d{12})/(.+)", url)
    return f"arn:aws:sqs:{match[1]}:{match[2]}:{match[3]}" if match else "*"


def _statement(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}


def _partition(environment: Environment) -> str:
    return environment.role.split(":")[1]


def _arn(environment: Environment, service: str, resource: str, separator: str = ":") -> str:
    return f"arn:{_partition(environment)}:{service}:{environment.region}:{environment.account}{separator}{resource}"
