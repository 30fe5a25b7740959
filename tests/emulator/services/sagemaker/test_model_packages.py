from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.services.sagemaker.registry_calls import MODEL, Registry, specification

PREFIX = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/"
METRICS = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://models/evaluation.json"}}}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    registry.CreateModelPackageGroup(ModelPackageGroupName="Flights")
    yield registry
    registry.close()


def register(registry: Registry, **request: Any) -> str:
    defaults = {"ModelPackageGroupName": "Flights", "InferenceSpecification": specification()}
    arn: str = registry.CreateModelPackage(**defaults | request)["ModelPackageArn"]
    return arn


def test_a_version_is_described_with_all_it_was_given(registry: Registry) -> None:
    arn = register(
        registry,
        ModelPackageDescription="depth 6",
        ModelMetrics=METRICS,
        CustomerMetadataProperties={"auc": "0.7"},
        MetadataProperties={"CommitId": "abc"},
        DriftCheckBaselines={"Bias": {}},
        ClientToken="t" * 36,
    )
    found = registry.DescribeModelPackage(ModelPackageName=arn)

    assert arn == PREFIX + "Flights/1"
    assert found["ModelPackageGroupName"] == "Flights"
    assert found["ModelPackageVersion"] == 1
    assert found["ModelPackageName"] is None
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["ModelMetrics"] == METRICS
    assert found["InferenceSpecification"] == specification()
    assert found["CustomerMetadataProperties"] == {"auc": "0.7"}
    assert found["LastModifiedTime"] is None
    assert "ClientToken" not in found


def test_versions_rise_and_are_never_given_twice(registry: Registry) -> None:
    arns = [register(registry) for _ in range(3)]
    registry.DeleteModelPackage(ModelPackageName=arns[2])
    assert arns == [f"{PREFIX}Flights/{version}" for version in (1, 2, 3)]
    assert register(registry, ModelPackageGroupName=arns[0].replace("model-package/", "model-package-group/")[:-2]) == (
        PREFIX + "Flights/4"
    )


def test_concurrent_registrations_get_versions_of_their_own(registry: Registry) -> None:
    with ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(lambda _: register(registry), range(24)))
    assert sorted(arns) == sorted(f"{PREFIX}Flights/{version}" for version in range(1, 25))


def test_a_client_token_makes_one_version(registry: Registry) -> None:
    first = register(registry, ClientToken="token-1")
    again = register(registry, ClientToken="token-1")
    other = registry.fails(
        "CreateModelPackage",
        ModelPackageGroupName="Flights",
        InferenceSpecification=specification(),
        ModelPackageDescription="another request",
        ClientToken="token-1",
    )
    assert first == again
    assert other.code == "ConflictException"
    assert len(registry.ListModelPackages(ModelPackageGroupName="Flights")["ModelPackageSummaryList"]) == 1


def test_a_package_outside_of_groups_has_a_name_and_no_approval(registry: Registry) -> None:
    request = {
        "ModelPackageName": "Lone",
        "InferenceSpecification": specification(),
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    arn = registry.CreateModelPackage(**request, ModelApprovalStatus="Approved")["ModelPackageArn"]
    found = registry.DescribeModelPackage(ModelPackageName="Lone")

    assert arn == PREFIX + "Lone"
    assert (found["ModelPackageName"], found["ModelPackageGroupName"]) == ("Lone", None)
    assert "ModelApprovalStatus" not in found
    assert registry.ListTags(ResourceArn=arn)["Tags"] == request["Tags"]
    assert "already exists" in registry.fails("CreateModelPackage", **request).message


@pytest.mark.parametrize(
    ("request_members", "code", "message"),
    [
        (
            {"ModelPackageName": "x", "ModelPackageGroupName": "Flights"},
            "ValidationException",
            "Cannot determine which",
        ),
        ({}, "ValidationException", "Missing ARN."),
        ({"ModelPackageGroupName": "trains"}, "ValidationException", "model-package-group/trains does not exist."),
        ({"ModelPackageGroupName": "Flights", "Tags": [{"Key": "a", "Value": "b"}]}, "ValidationException", "Tags"),
        (
            {"ModelPackageName": "x", "InferenceSpecification": specification(Environment={"A": "b"})},
            "ValidationException",
            "Environment variable map cannot be specified when using non-versioned ModelPackages",
        ),
        (
            {"ModelPackageGroupName": "Flights", "InferenceSpecification": {}},
            "ValidationException",
            "InferenceSpecification",
        ),
        (
            {"ModelPackageGroupName": "Flights", "ValidationSpecification": {"ValidationRole": "r"}},
            "NotImplemented",
            "ValidationSpecification",
        ),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(
    registry: Registry, request_members: dict[str, Any], code: str, message: str
) -> None:
    error = registry.fails("CreateModelPackage", **{"InferenceSpecification": specification()} | request_members)
    assert error.code == code
    assert message in error.message
    assert registry.ListModelPackages(ModelPackageType="Both")["ModelPackageSummaryList"] == []


@pytest.mark.parametrize(
    "container",
    [
        {"ModelDataUrl": "s3://models/run-2/model.tar.gz"},
        {"ModelDataUrl": "s3://no-such-bucket/model.tar.gz"},
        {
            "ModelDataUrl": None,
            "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://models/run-2/", "S3DataType": "S3Prefix"}},
        },
    ],
)
def test_missing_model_data_is_found_out(registry: Registry, container: dict[str, Any]) -> None:
    error = registry.fails(
        "CreateModelPackage", ModelPackageGroupName="Flights", InferenceSpecification=specification(**container)
    )
    assert error.message.startswith("Could not find model data at s3://")
    register(registry, InferenceSpecification=specification(**container), SkipModelValidation="All")


def test_an_uncompressed_model_is_a_prefix(registry: Registry) -> None:
    source = {"S3DataSource": {"S3Uri": "s3://models/run-1/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    arn = register(registry, InferenceSpecification=specification(ModelDataUrl=None, ModelDataSource=source))
    assert arn.endswith("/1")


def test_an_update_approves_and_merges(registry: Registry) -> None:
    arn = register(registry, CustomerMetadataProperties={"a": "1", "b": "2"})
    extra = {"Name": "neo", "Containers": [{"Image": "i", "ModelDataUrl": MODEL}]}
    registry.UpdateModelPackage(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good enough",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=[extra],
    )
    found = registry.DescribeModelPackage(ModelPackageName=arn)

    assert found["ModelApprovalStatus"] == "Approved"
    assert found["ApprovalDescription"] == "good enough"
    assert found["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert found["AdditionalInferenceSpecifications"] == [extra]
    assert found["LastModifiedTime"] > found["CreationTime"]
    assert found["InferenceSpecification"] == specification()


def test_an_update_beyond_a_limit_changes_nothing(registry: Registry) -> None:
    arn = register(registry)
    extra = [{"Name": f"s{n}", "Containers": [{"Image": "i"}]} for n in range(16)]
    error = registry.fails(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        AdditionalInferenceSpecificationsToAdd=extra,
    )
    assert "15" in error.message
    assert registry.DescribeModelPackage(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_list_filters_by_group_type_and_approval(registry: Registry) -> None:
    first = register(registry)
    second = register(registry, ModelApprovalStatus="Approved")
    registry.CreateModelPackageGroup(ModelPackageGroupName="trains")
    third = register(registry, ModelPackageGroupName="trains", ModelApprovalStatus="Approved")
    lone = registry.CreateModelPackage(ModelPackageName="lone", InferenceSpecification=specification())[
        "ModelPackageArn"
    ]

    def arns(**request: object) -> list[str]:
        found = registry.ListModelPackages(**request)["ModelPackageSummaryList"]
        return [package["ModelPackageArn"] for package in found]

    assert arns() == [lone]
    assert arns(ModelPackageType="Versioned") == [third, second, first]
    assert arns(ModelPackageType="Both", SortOrder="Ascending") == [first, second, third, lone]
    assert arns(ModelPackageGroupName="Flights") == [second, first]
    assert arns(ModelPackageType="Versioned", ModelApprovalStatus="Approved") == [third, second]
    assert arns(ModelPackageGroupName="Flights", ModelApprovalStatus="Rejected") == []
    assert arns(ModelPackageType="Both", NameContains="ligh") == [second, first]


def test_a_summary_has_the_members_of_a_summary(registry: Registry) -> None:
    register(registry, ModelPackageDescription="d")
    (summary,) = registry.ListModelPackages(ModelPackageGroupName="flights")["ModelPackageSummaryList"]
    assert summary["ModelPackageVersion"] == 1
    assert summary["ModelPackageDescription"] == "d"
    assert "ModelPackageName" not in summary


def test_a_batch_answers_for_each_arn(registry: Registry) -> None:
    arn = register(registry)
    missing = PREFIX + "Flights/9"
    answer = registry.BatchDescribeModelPackage(ModelPackageArnList=[arn, missing])

    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == specification()
    assert answer["BatchDescribeModelPackageErrorMap"][missing] == {
        "ErrorCode": "ValidationException",
        "ErrorResponse": f"ModelPackage {missing} does not exist.",
    }


@pytest.mark.parametrize(
    "name", [PREFIX + "Flights/1", "lone", "arn:aws:sagemaker:us-east-1:123456789012:model-package/x/1"]
)
def test_a_missing_package_is_named_as_aws_names_it(registry: Registry, name: str) -> None:
    for operation in ("DescribeModelPackage", "DeleteModelPackage"):
        error = registry.fails(operation, ModelPackageName=name)
        assert error.code == "ValidationException"
        assert error.message.startswith("ModelPackage arn:aws:sagemaker:")
        assert error.message.endswith("does not exist.")
