"""AWS's wording of violated constraints, as services answer it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.aws import service_models
from emulator.aws.errors import AwsError
from emulator.gateway.compiled import _check, _compilers


def problems(operation: str, request: dict[str, Any], service: str = "sagemaker") -> AwsError | None:
    check = _check(service_models.operation_model(service, operation), _compilers(service))
    try:
        check(request)
    except AwsError as error:
        return error
    return None


def message(operation: str, request: dict[str, Any], service: str = "sagemaker") -> str:
    error = problems(operation, request, service)
    assert error is not None
    return error.message


def test_a_pattern_is_quoted_as_aws_quotes_it() -> None:
    assert message("DeletePipeline", {"PipelineName": "a_b", "ClientRequestToken": "t" * 32}) == (
        "1 validation error detected: Value 'a_b' at 'pipelineName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}"
    )


def test_missing_members_are_null() -> None:
    assert message("DescribeProcessingJob", {}) == (
        "1 validation error detected: Value null at 'processingJobName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_several_problems_are_counted_and_joined() -> None:
    text = message("DescribeProcessingJob", {"ProcessingJobName": "_" * 64})
    assert text.startswith("2 validation errors detected: Value '____")
    assert "Member must have length less than or equal to 63; Value '___" in text
    assert text.endswith("Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def test_members_of_lists_of_structures_are_numbered_from_one() -> None:
    tags = [{"Key": "fine", "Value": ""}, {"Key": "x" * 129, "Value": ""}]
    text = message("AddTags", {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p", "Tags": tags})
    assert (
        "at 'tags.2.member.key' failed to satisfy constraint: Member must have length less than or equal to 128" in text
    )


def test_scalars_in_lists_are_named_by_their_list() -> None:
    request = {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p", "TagKeys": ["ok", ""]}
    assert message("DeleteTags", request).startswith(
        "1 validation error detected: Value '[ok, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 128, Member must have length greater than or "
        "equal to 1, Member must satisfy regular expression pattern: "
    )


def test_map_keys_and_values_are_recited() -> None:
    request = _processing_job(Environment={"1": "x"})
    assert (
        "Value '{1=x}' at 'environment' failed to satisfy constraint: Map keys must satisfy constraint: ["
        in message("CreateProcessingJob", request)
    )
    request = _processing_job(Environment={"A": "x" * 257})
    assert (
        "at 'environment' failed to satisfy constraint: Map value must satisfy constraint: [Member must have"
        in message("CreateProcessingJob", request)
    )


def test_enums_list_their_values() -> None:
    text = message("ListPipelines", {"SortOrder": "Up"})
    assert text == (
        "1 validation error detected: Value 'Up' at 'sortOrder' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Ascending, Descending]"
    )


def test_numbers_have_values_not_lengths() -> None:
    assert message("ListPipelines", {"MaxResults": 101}).endswith("Member must have value less than or equal to 100")
    assert message("ListPipelines", {"MaxResults": 0}).endswith("Member must have value greater than or equal to 1")


def test_nested_members_have_paths() -> None:
    request = _processing_job()
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 0
    assert "Value '0' at 'processingResources.clusterConfig.instanceCount' failed" in message(
        "CreateProcessingJob", request
    )


def test_secrets_are_not_repeated() -> None:
    text = message("PutRolePolicy", {"RoleName": "", "PolicyName": "p", "PolicyDocument": "d"}, "iam")
    assert "Value '' at 'roleName'" in text
    request = {"ProviderArn": "x" * 21, "PrincipalArn": "x" * 21, "RoleArn": "x" * 21, "SAMLAssertion": "abc"}
    text = message("AssumeRoleWithSAML", request, "sts")
    assert "Value at 'sAMLAssertion' failed" in text
    assert "abc" not in text


def test_a_request_without_problems_passes() -> None:
    assert problems("CreateProcessingJob", _processing_job(Environment={"A": "\n"})) is None


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sagemaker", "DescribeProcessingJob", "ValidationException"),
        ("iam", "GetRole", "ValidationError"),
        ("sts", "AssumeRole", "ValidationError"),
        ("logs", "GetLogEvents", "InvalidParameterException"),
        ("sagemaker-featurestore-runtime", "GetRecord", "ValidationError"),
    ],
)
def test_the_code_is_the_services_own(service: str, operation: str, code: str) -> None:
    error = problems(operation, {}, service)
    if operation == "GetLogEvents":
        error = problems(operation, {"logGroupName": "", "logStreamName": "s"}, service)
    assert error is not None
    assert error.code == code
    assert error.status == 400


def _processing_job(**members: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": "job",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": "arn:aws:iam::123456789012:role/role",
    } | members
