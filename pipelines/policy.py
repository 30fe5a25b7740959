"""The least that IAM must allow to the role that executes one pipeline; what CI needs is in ``ci_policy``.

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
from pipelines.images import ECR_IMAGE

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
OWN_NAMES = "pipelines-*"
"""Jobs and models that a pipeline names itself; others have what the step's request says, as their beginning."""
LINEAGE = ("Action", "Artifact", "Context")
RESOURCES = {
    "Model": ("model", ("CreateModel", "DescribeModel")),
    "EndpointConfig": ("endpoint-config", ("CreateEndpointConfig", "DescribeEndpointConfig")),
    "Endpoint": ("endpoint", ("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint")),
    "Lineage": (
        "*",
        ("AddAssociation", "ListArtifacts", *(f"{verb}{noun}" for noun in LINEAGE for verb in ("Create", "Describe"))),
    ),
}
"""Step types that make something other than a job: its noun in ARNs, and what is called."""
CALLS = ("Lambda", "Callback")
BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]+)")
NETWORK_ACTIONS = (
    *("ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"),
    *("ec2:DeleteNetworkInterfacePermission", "ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
)


def execution_statements(definition: dict[str, Any], environment: Environment) -> list[Statement]:
    """What the role that executes the pipeline and its jobs must be allowed."""
    bodies = [step.body for step in steps(definition)]
    kinds = {body["Type"] for body in bodies}
    found = [*_job_statements(bodies, environment), *_resource_statements(kinds, environment)]
    found += [*_registry_statements(bodies, environment), *_storage_statements(definition, kinds, environment)]
    found += _image_statements(bodies, environment)
    if kinds & (set(JOBS) | {"Model"}):
        found.append(pass_role("PassItself", environment))
    found += [*_call_statements(bodies), *_environment_statements(environment)]
    return found


def unknown_steps(definition: dict[str, Any]) -> dict[str, str]:
    """Type by name of the steps whose permissions are not known here."""
    known = {*JOBS, *RESOURCES, *CALLS, "RegisterModel", "Cleanup", "Condition", "Fail", "ForEach"}
    return {step.name: step.type for step in steps(definition) if step.type not in known}


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


def _job_statements(bodies: list[dict[str, Any]], environment: Environment) -> Iterator[Statement]:
    groups: dict[str, list[str]] = {}
    for kind in sorted({body["Type"] for body in bodies} & set(JOBS)):
        noun, resource, log_group = JOBS[kind]
        actions = [f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Stop")]
        if kind == "Tuning":
            actions.append("sagemaker:ListTrainingJobsForHyperParameterTuningJob")
        names = sorted({_job_name(body, noun) for body in bodies if body["Type"] == kind})
        arns = [resource_arn(environment, "sagemaker", f"{resource}/{name}") for name in names]
        yield statement(f"{kind}Jobs", [*actions, "sagemaker:AddTags"], arns)
        groups[log_group] = [resource_arn(environment, "logs", f"log-group:/aws/sagemaker/{log_group}")]
        groups[log_group].append(f"{groups[log_group][0]}:log-stream:*")
    if groups:
        actions = ["CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"]
        resources = [arn for group in sorted(groups) for arn in groups[group]]
        yield statement("Logs", [f"logs:{action}" for action in actions], resources)
        metrics = statement("Metrics", ["cloudwatch:PutMetricData"], ["*"])
        namespaces = ["/aws/sagemaker/*", "aws/sagemaker/*"]
        yield metrics | {"Condition": {"StringLike": {"cloudwatch:namespace": namespaces}}}


def _job_name(body: dict[str, Any], noun: str) -> str:
    """The beginning that a step's jobs have in common (Developer Guide, "Use custom prefixes")."""
    own = (body.get("Arguments") or {}).get(f"{noun.removesuffix('V2')}Name")
    if own is None:
        return OWN_NAMES
    return f"{own}*" if isinstance(own, str) else "*"


def _resource_statements(kinds: set[str], environment: Environment) -> Iterator[Statement]:
    for kind in sorted(kinds & set(RESOURCES)):
        noun, names = RESOURCES[kind]
        actions = [f"sagemaker:{action}" for action in (*names, "AddTags")]
        resources = ["*"] if noun == "*" else [resource_arn(environment, "sagemaker", f"{noun}/*")]
        yield statement(f"{kind}s", actions, resources)


def _registry_statements(bodies: list[dict[str, Any]], environment: Environment) -> Iterator[Statement]:
    groups = {
        str((body.get("Arguments") or {}).get("ModelPackageGroupName", "*"))
        for body in bodies
        if body["Type"] == "RegisterModel"
    }
    if groups:
        names = sorted(group if re.fullmatch(r"[\w-]+", group) else "*" for group in groups)
        resources = [resource_arn(environment, "sagemaker", f"model-package-group/{name}") for name in names]
        resources += [resource_arn(environment, "sagemaker", f"model-package/{name}/*") for name in names]
        actions = ["CreateModelPackage", "CreateModelPackageGroup", "DescribeModelPackage", "DescribeModelPackageGroup"]
        yield statement("Registry", [f"sagemaker:{action}" for action in (*actions, "AddTags")], resources)


def _storage_statements(definition: dict[str, Any], kinds: set[str], environment: Environment) -> Iterator[Statement]:
    partition = partition_of(environment)
    buckets = sorted({environment.bucket, *BUCKET.findall(str(definition))})
    arns = [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]
    yield statement("Buckets", ["s3:GetBucketLocation", "s3:ListBucket"], arns)
    yield statement("ReadObjects", ["s3:GetObject"], [f"{arn}/*" for arn in arns])
    own = f"arn:{partition}:s3:::{environment.bucket}/*"
    deletes = ["s3:DeleteObject"] if "Cleanup" in kinds else []
    yield statement("WriteObjects", ["s3:AbortMultipartUpload", "s3:PutObject", *deletes], [own])


def _image_statements(bodies: list[dict[str, Any]], environment: Environment) -> Iterator[Statement]:
    found = sorted({match.group("account", "region", "name") for match in ECR_IMAGE.finditer(str(bodies))})
    if found:
        partition = partition_of(environment)
        repositories = [f"arn:{partition}:ecr:{region}:{account}:repository/{name}" for account, region, name in found]
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        yield statement("Images", actions, repositories)
        yield statement("RegistryLogin", ["ecr:GetAuthorizationToken"], ["*"])


def _call_statements(bodies: list[dict[str, Any]]) -> Iterator[Statement]:
    functions = sorted({str(body["FunctionArn"]) for body in bodies if body["Type"] == "Lambda"})
    if functions:
        yield statement("Functions", ["lambda:InvokeFunction"], functions)
    queues = sorted({_queue_arn(str(body["SqsQueueUrl"])) for body in bodies if body["Type"] == "Callback"})
    if queues:
        yield statement("Queues", ["sqs:SendMessage"], queues)


def _environment_statements(environment: Environment) -> Iterator[Statement]:
    if environment.subnets:
        yield statement("Network", list(NETWORK_ACTIONS), ["*"])
    if environment.kms_key:
        actions = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
        yield statement("Key", actions, [environment.kms_key])


def _queue_arn(url: str) -> str:
    match = re.match(r"https?://sqs\.([a-z0-9-]+)\.[^/]+/(\d{12})/(.+)", url)
    return f"arn:aws:sqs:{match[1]}:{match[2]}:{match[3]}" if match else "*"


def pass_role(sid: str, environment: Environment) -> Statement:
    """Giving the environment's role to SageMaker, and to nothing else."""
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return statement(sid, ["iam:PassRole"], [environment.role]) | {"Condition": condition}


def own_images(value: Any, environment: Environment) -> list[str]:
    """Names of the repositories of the environment's own account that a document refers to."""
    found = ECR_IMAGE.finditer(str(value))
    return sorted({image["name"] for image in found if image["account"] == environment.account})


def statement(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(set(actions)), "Resource": resources}


def partition_of(environment: Environment) -> str:
    return environment.role.split(":")[1]


def resource_arn(environment: Environment, service: str, resource: str) -> str:
    return f"arn:{partition_of(environment)}:{service}:{environment.region}:{environment.account}:{resource}"
