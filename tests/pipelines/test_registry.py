from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.connection import Connection
from pipelines.environments import load_target
from pipelines.errors import UsageError
from pipelines.registry import package_arn
from tests.pipelines.conftest import Cli

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/sounds/1"


@pytest.fixture
def registry(sagemaker_variables: None, project: Path) -> Connection:
    """A group with one version that waits for approval."""
    connection = Connection(load_target(project, "local"))
    names = [
        item["ModelPackageGroupName"]
        for item in connection.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]
    if "sounds" not in names:
        connection.sagemaker.create_model_package_group(ModelPackageGroupName="sounds")
        connection.s3.create_bucket(Bucket="models-of-sounds")
        connection.s3.put_object(Bucket="models-of-sounds", Key="model.tar.gz", Body=b"x")
        container = {
            "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/small:1",
            "ModelDataUrl": "s3://models-of-sounds/model.tar.gz",
        }
        connection.sagemaker.create_model_package(
            ModelPackageGroupName="sounds",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    return connection


def test_a_version_is_listed_approved_and_rejected(cli: Cli, project: Path, registry: Connection) -> None:
    assert "sounds" in cli(project, "models").output
    assert "PendingManualApproval" in cli(project, "models", "sounds").output
    result = cli(project, "approve", "sounds/1", "--reason", "AUC is fine")
    assert result.output == f"{ARN}  PendingManualApproval -> Approved\n"
    described = registry.sagemaker.describe_model_package(ModelPackageName=ARN)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "AUC is fine")
    assert cli(project, "reject", ARN).output == f"{ARN}  Approved -> Rejected\n"
    assert '"ModelApprovalStatus": "Rejected"' in cli(project, "models", "sounds", "--json").output


def test_an_unknown_version_is_a_usage_error(cli: Cli, project: Path, registry: Connection) -> None:
    result = cli(project, "approve", "sounds/9")
    assert (result.exit_code, "Next: pipelines models" in result.output) == (2, True)
    with pytest.raises(UsageError, match="GROUP/VERSION"):
        package_arn(registry, "sounds")
