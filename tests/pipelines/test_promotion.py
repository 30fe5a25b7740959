"""Promotion from one environment to another: two accounts and regions of the session's emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.integration.container_images import put
from tests.pipelines.conftest import Cli

ACCOUNTS = {"from": ("111122223333", "us-east-1"), "to": ("444455556666", "eu-central-1")}
GROUP = "promoted-models"


class Account:
    """boto clients of an environment."""

    def __init__(self, variables: dict[str, str], region: str) -> None:
        self.variables = variables
        self.region = region

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key="x",
        )


@pytest.fixture
def accounts(
    sagemaker_emulator: dict[str, str | None], project: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Account]:
    """Two environments of the checkout, each with credentials of its own."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    found, tables = {}, []
    for name, (account, region) in ACCOUNTS.items():
        variables = {
            "AWS_ENDPOINT_URL": str(sagemaker_emulator["AWS_ENDPOINT_URL"]),
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "x",
        }
        found[name] = Account(variables, region)
        tables.append(
            f'[{name}]\naccount = "{account}"\nregion = "{region}"\nrole = "arn:aws:iam::{account}:role/SageMaker"\n'
            f'bucket = "models-{account}"\nendpoint_command = ["printf", "%s", {json.dumps(json.dumps(variables))}]\n'
        )
    (project / "pipelines" / "environments.toml").write_text("\n".join(tables))
    return found


@pytest.fixture
def package(accounts: dict[str, Account]) -> str:
    """A registered model with data, metrics and an image of its own account."""
    source = accounts["from"]
    s3, ecr, sagemaker = (source.client(service) for service in ("s3", "ecr", "sagemaker"))
    s3.create_bucket(Bucket="models-111122223333")
    s3.put_object(Bucket="models-111122223333", Key="run/model.tar.gz", Body=b"the model")
    s3.put_object(Bucket="models-111122223333", Key="run/evaluation.json", Body=b"{}")
    if "serving" not in [each["repositoryName"] for each in ecr.describe_repositories()["repositories"]]:
        ecr.create_repository(repositoryName="serving")
        put(ecr, "serving", "abc")
    if not sagemaker.list_model_package_groups(NameContains=GROUP)["ModelPackageGroupSummaryList"]:
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    quality = {
        "Statistics": {"ContentType": "application/json", "S3Uri": "s3://models-111122223333/run/evaluation.json"}
    }
    container = {
        "Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/serving:abc",
        "ModelDataUrl": "s3://models-111122223333/run/model.tar.gz",
        "Environment": {"LOG": "1"},
    }
    return str(
        sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="PendingManualApproval",
            ModelMetrics={"ModelQuality": quality},
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            MetadataProperties={"CommitId": "0123abc"},
            CustomerMetadataProperties={"owner": "team"},
        )["ModelPackageArn"]
    )


def promote(cli: Cli, root: Path, *arguments: str) -> Any:
    return cli(root, "promote", *arguments, "--from", "from", "--env", "to")


def approve(cli: Cli, root: Path, package: str) -> None:
    assert cli(root, "approve", package, "--env", "from", "--reason", "good enough").exit_code == 0


def test_a_package_goes_to_the_other_account_with_all_that_it_refers_to(
    cli: Cli, project: Path, accounts: dict[str, Account], package: str
) -> None:
    refused = promote(cli, project, package)
    assert refused.exit_code == 2
    assert f"only what is approved is promoted. Next: pipelines approve {package} --env from" in refused.output
    approve(cli, project, package)
    done = promote(cli, project, package)
    assert done.exit_code == 0, done.output
    assert "copied image serving:abc" in done.output
    target = accounts["to"]
    (summary,) = target.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
    copy = target.client("sagemaker").describe_model_package(ModelPackageName=summary["ModelPackageArn"])
    assert copy["ModelApprovalStatus"] == "PendingManualApproval"
    assert copy["MetadataProperties"]["CommitId"] == "0123abc"
    assert copy["CustomerMetadataProperties"] == {
        "owner": "team",
        "pipelines:source": package,
        "pipelines:source-commit": "0123abc",
        "pipelines:source-approval": "good enough",
    }
    (container,) = copy["InferenceSpecification"]["Containers"]
    assert container["Image"] == "444455556666.dkr.ecr.eu-central-1.amazonaws.com/serving:abc"
    assert container["Environment"] == {"LOG": "1"}
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    assert bucket == "models-444455556666"
    assert target.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"the model"
    metrics = copy["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert metrics.startswith("s3://models-444455556666/promoted/")
    images = [account.client("ecr").describe_images(repositoryName="serving") for account in accounts.values()]
    assert len({image["imageDetails"][0]["imageDigest"] for image in images}) == 1

    again = promote(cli, project, package, "--json")
    assert json.loads(again.output) == {"action": "unchanged", "source": package, "arn": copy["ModelPackageArn"]}


def test_what_was_interrupted_is_finished_by_a_second_run(
    cli: Cli, project: Path, accounts: dict[str, Account], package: str
) -> None:
    approve(cli, project, package)
    s3, name = accounts["from"].client("s3"), package.rpartition("model-package/")[2]
    s3.delete_object(Bucket="models-111122223333", Key="run/evaluation.json")
    broken = promote(cli, project, name)
    assert broken.exit_code == 2
    assert "There is nothing at s3://models-111122223333/run/evaluation.json" in broken.output
    s3.put_object(Bucket="models-111122223333", Key="run/evaluation.json", Body=b"{}")
    done = promote(cli, project, name)
    assert done.exit_code == 0, done.output
    assert "unchanged s3://models-111122223333/run/model.tar.gz" in done.output
    assert "copied s3://models-111122223333/run/evaluation.json" in done.output
    assert "unchanged image serving:abc" in done.output


def test_images_go_from_registry_to_registry_without_an_engine(
    cli: Cli, project: Path, accounts: dict[str, Account]
) -> None:
    tag = cli(project, "images", "list", "--env", "from").output.strip().rpartition(":")[2]
    ecr = accounts["from"].client("ecr")
    missing = cli(project, "images", "push", "--from", "from", "--env", "to")
    assert missing.exit_code == 2
    assert f"Environment from has no image small:{tag}. Next: pipelines images push" in missing.output
    ecr.create_repository(repositoryName="small")
    digest = put(ecr, "small", tag)
    copied = cli(project, "images", "push", "--from", "from", "--env", "to", "--json")
    assert json.loads(copied.output)[0]["action"] == "copied"
    (there,) = accounts["to"].client("ecr").describe_images(repositoryName="small")["imageDetails"]
    assert (there["imageDigest"], there["imageTags"]) == (digest, [tag])
    again = cli(project, "images", "push", "--from", "from", "--env", "to")
    assert again.output == f"unchanged small:{tag}\n"


def test_an_image_of_another_region_needs_a_replacement(
    cli: Cli, project: Path, accounts: dict[str, Account], package: str
) -> None:
    sagemaker, aws = accounts["from"].client("sagemaker"), "683313688378.dkr.ecr.us-east-1.amazonaws.com/x:1"
    specification = sagemaker.describe_model_package(ModelPackageName=package)["InferenceSpecification"]
    specification["Containers"][0]["Image"] = aws
    sagemaker.update_model_package(ModelPackageArn=package, InferenceSpecification=specification)
    approve(cli, project, package)
    refused = promote(cli, project, package)
    assert refused.exit_code == 2
    assert f"Say what it is there: --image {aws}=URI" in refused.output
    new = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/x:1"
    done = promote(cli, project, package, "--image", f"{aws}={new}", "--json")
    arn = json.loads(done.output)["arn"]
    copy = accounts["to"].client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert copy["InferenceSpecification"]["Containers"][0]["Image"] == new
