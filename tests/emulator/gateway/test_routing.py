from __future__ import annotations

import pytest

from emulator.aws import service_models
from emulator.gateway.callers import Caller
from emulator.gateway.routing import QUERY_VERSIONS, SIGNING_NAMES, TARGET_PREFIXES, Target, find_target, is_s3
from emulator.gateway.wire import WireRequest

SAGEMAKER = Caller("k", "20260101", "us-east-1", "sagemaker", "header")


def request(method: str, path: str, body: bytes = b"", query: str = "", **headers: str) -> WireRequest:
    return WireRequest(method, path, query, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(("prefix", "service"), TARGET_PREFIXES.items())
def test_target_prefixes_are_those_of_the_models(prefix: str, service: str) -> None:
    assert service_models.service_model(service).metadata["targetPrefix"] == prefix


@pytest.mark.parametrize(("version", "service"), QUERY_VERSIONS.items())
def test_query_versions_are_those_of_the_models(version: str, service: str) -> None:
    assert service_models.service_model(service).api_version == version


@pytest.mark.parametrize("service", SIGNING_NAMES["sagemaker"])
def test_services_signed_as_sagemaker_are(service: str) -> None:
    assert service_models.service_model(service).signing_name == "sagemaker"


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "/endpoints/e/invocations", ("sagemaker-runtime", "InvokeEndpoint")),
        ("POST", "/endpoints/e/async-invocations", ("sagemaker-runtime", "InvokeEndpointAsync")),
        ("POST", "/endpoints/e/invocations-response-stream", ("sagemaker-runtime", "InvokeEndpointWithResponseStream")),
        ("PUT", "/FeatureGroup/g", ("sagemaker-featurestore-runtime", "PutRecord")),
        ("GET", "/FeatureGroup/g", ("sagemaker-featurestore-runtime", "GetRecord")),
        ("DELETE", "/FeatureGroup/g", ("sagemaker-featurestore-runtime", "DeleteRecord")),
        ("POST", "/BatchGetRecord", ("sagemaker-featurestore-runtime", "BatchGetRecord")),
        ("PUT", "/BatchPutMetrics", ("sagemaker-metrics", "BatchPutMetrics")),
    ],
)
def test_paths_signed_as_sagemaker_are_its_rest_services(method: str, path: str, target: tuple[str, str]) -> None:
    assert find_target(request(method, path), SAGEMAKER) == Target(*target, "rest-json")


def test_a_signing_name_that_is_no_service_of_botocore_means_its_service() -> None:
    states = Caller("k", "20260101", "us-east-1", "states", "header")
    found = find_target(request("POST", "/", x_amz_target="AWSStepFunctions.ListStateMachines"), states)
    assert found == Target("stepfunctions", "ListStateMachines", "json")


def test_x_amz_target_wins_over_the_signed_service() -> None:
    found = find_target(request("POST", "/", x_amz_target="Logs_20140328.GetLogEvents"), SAGEMAKER)
    assert found == Target("logs", "GetLogEvents", "json")


def test_an_unsigned_form_is_told_by_its_version() -> None:
    form = request(
        "POST", "/", b"Action=AssumeRoleWithSAML&Version=2011-06-15", content_type="application/x-www-form-urlencoded"
    )
    assert find_target(form, Caller()) == Target("sts", "AssumeRoleWithSAML", "query")


def test_a_bucket_may_be_called_like_a_rest_path() -> None:
    assert is_s3(request("POST", "/endpoints/e/invocations"), Caller(service="s3"))
    assert is_s3(request("GET", "/endpoints"), Caller())
    assert not is_s3(request("POST", "/endpoints/e/invocations"), SAGEMAKER)
    assert not is_s3(request("GET", "/", query="Action=GetCallerIdentity"), Caller())
