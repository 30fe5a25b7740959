"""``pipelines approve`` emits the event that a rule turns into the start of a deployment pipeline."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.pipelines.conftest import Cli
from tests.pipelines.programs.deploy_on_approval import deploy_on_approval

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


@pytest.fixture
def sagemaker(sagemaker_variables: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return boto3.client("sagemaker")


def register(sagemaker: Any, group: str) -> str:
    specification = {
        "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/small:1"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    return str(
        sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification=specification,
        )["ModelPackageArn"]
    )


def executions(sagemaker: Any, pipeline: str, count: int) -> list[dict[str, Any]]:
    """Executions of a pipeline, once there are so many and all have ended."""
    for _ in range(300):
        found = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        if len(found) >= count and all(each["PipelineExecutionStatus"] != "Executing" for each in found):
            return list(found)
        time.sleep(0.1)
    raise AssertionError(f"{pipeline} has not {count} executions that ended")


def test_approving_a_model_package_deploys_it(cli: Cli, project: Path, sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="approved-models")
    first, second = register(sagemaker, "approved-models"), register(sagemaker, "approved-models")
    deploy_on_approval("approved-models", "deploy-approved", ROLE)
    rejected = cli(project, "reject", "approved-models/1", "--reason", "worse than the last")
    assert rejected.output == f"{first}  PendingManualApproval -> Rejected\n"
    approved = cli(project, "approve", "approved-models/2", "--reason", "better")
    assert approved.output == f"{second}  PendingManualApproval -> Approved\n"
    (execution,) = executions(sagemaker, "deploy-approved", 1)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution["PipelineExecutionArn"])[
        "PipelineExecutionSteps"
    ]
    model = sagemaker.describe_model(ModelName=step["Metadata"]["Model"]["Arn"].rpartition("/")[2])
    assert model["PrimaryContainer"]["ModelPackageName"] == second
    again = cli(project, "approve", "approved-models/1")
    assert again.output.endswith("Rejected -> Approved\n")
    assert len(executions(sagemaker, "deploy-approved", 2)) == 2


def test_what_is_not_there_cannot_be_approved(cli: Cli, project: Path, sagemaker: Any) -> None:
    result = cli(project, "approve", "no-such-models/1")
    assert (result.exit_code, "Next: pipelines models" in result.output) == (2, True)
