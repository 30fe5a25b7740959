"""The least that IAM must allow to the role of CI for one pipeline: to plan and upsert it, and to push its images.

Nothing of it starts an execution, and nothing deletes, save copies of the pipeline for branches if they are asked for.
"""

from __future__ import annotations

from typing import Any

from pipelines.environment import Environment
from pipelines.policy import Statement, own_images, partition_of, pass_role, resource_arn, statement

READ = ("DescribePipeline", "ListPipelineVersions", "ListTags")
WRITE = ("CreatePipeline", "UpdatePipeline", "AddTags")
PUSH = (
    *("DescribeRepositories", "CreateRepository", "TagResource", "DescribeImages", "BatchCheckLayerAvailability"),
    *("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage", "BatchGetImage"),
    "GetDownloadUrlForLayer",
)


def ci_statements(
    definition: dict[str, Any], name: str, deployed_name: str, environment: Environment, *, branches: bool = False
) -> list[Statement]:
    """What the role of CI must be allowed; with ``branches`` also for copies of the pipeline beside it."""
    found = [
        _pipeline("Pipeline", (*READ, *WRITE), deployed_name, environment),
        *_storage(name, environment),
        pass_role("PassExecutionRole", environment),
    ]
    if branches:
        found.append(_pipeline("Branches", (*READ, *WRITE, "DeletePipeline"), f"{deployed_name}-*", environment))
    if images := own_images(definition, environment):
        repositories = [resource_arn(environment, "ecr", f"repository/{image}") for image in images]
        found.append(statement("Images", [f"ecr:{action}" for action in PUSH], repositories))
        found.append(statement("RegistryLogin", ["ecr:GetAuthorizationToken"], ["*"]))
    if environment.kms_key:
        found.append(statement("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [environment.kms_key]))
    return found


def _pipeline(sid: str, actions: tuple[str, ...], name: str, environment: Environment) -> Statement:
    arn = resource_arn(environment, "sagemaker", f"pipeline/{name}")
    return statement(sid, [f"sagemaker:{action}" for action in actions], [arn])


def _storage(name: str, environment: Environment) -> list[Statement]:
    """The bucket is made once by whoever sets the environment up; a long definition is read again by SageMaker."""
    bucket = f"arn:{partition_of(environment)}:s3:::{environment.bucket}"
    return [
        statement("AssetsBucket", ["s3:ListBucket"], [bucket]),
        statement("Assets", ["s3:PutObject"], [f"{bucket}/{name}/assets/*"]),
        statement("Definitions", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/{name}/definitions/*"]),
    ]
