"""The model registry as boto3 sees it: parsed, validated and serialised by the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.sagemaker.registry_calls import specification
from tests.integration.emulators import Emulator

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("registry"))
    yield emulator.start()
    emulator.stop()


@pytest.fixture(scope="module")
def sagemaker(emulator: Emulator) -> Any:
    s3 = emulator.client("s3", REGION)
    s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="models", Key="run-1/model.tar.gz", Body=b"model")
    return emulator.client("sagemaker", REGION)


def test_a_model_from_registration_to_approval(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="flights", ModelPackageGroupDescription="late?")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="flights",
        InferenceSpecification=specification(),
        ModelMetrics={
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://models/e.json"}}
        },
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="fine")
    found = sagemaker.describe_model_package(ModelPackageName=arn)

    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:model-package/flights/1"
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert datetime.now(UTC) - found["CreationTime"] < timedelta(minutes=5)
    assert found["LastModifiedTime"] >= found["CreationTime"]
    assert found["InferenceSpecification"] == specification()
    (summary,) = sagemaker.list_model_packages(ModelPackageGroupName="flights")["ModelPackageSummaryList"]
    assert summary["ModelPackageVersion"] == 1


def test_a_paginator_sees_every_version_once(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="many")
    for _ in range(7):
        sagemaker.create_model_package(ModelPackageGroupName="many", InferenceSpecification=specification())
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName="many", SortOrder="Ascending", PaginationConfig={"PageSize": 3}
    )
    assert [package["ModelPackageVersion"] for page in pages for package in page["ModelPackageSummaryList"]] == [
        1, 2, 3, 4, 5, 6, 7,
    ]  # fmt: skip


def test_errors_carry_awss_code_and_words(sagemaker: Any) -> None:
    with pytest.raises(ClientError) as missing:
        sagemaker.describe_model_package_group(ModelPackageGroupName="nobody")
    with pytest.raises(ClientError) as malformed:
        sagemaker.create_model_package_group(ModelPackageGroupName="not_a_name")
    with pytest.raises(ClientError) as unknown:
        sagemaker.update_model_package(
            ModelPackageArn="arn:aws:sagemaker:eu-west-1:123456789012:model-package/flights/1",
            ModelApprovalStatus="Maybe",
        )
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/nobody"
    assert missing.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": f"ModelPackageGroup {arn} does not exist.",
    }
    assert "Member must satisfy regular expression pattern" in str(malformed.value)
    assert "Member must satisfy enum value set" in str(unknown.value)


def test_tags_of_a_group(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package_group(ModelPackageGroupName="tagged", Tags=[{"Key": "team", "Value": "data"}])[
        "ModelPackageGroupArn"
    ]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "dev"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "dev"}]
