"""Calls from inside get what calls over the wire get."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.aws.errors import AwsError, NotImplementedHere, ResourceNotFound
from emulator.store.resources import Scope
from tests.emulator.gateway.conftest import Register

SCOPE = Scope("210987654321", "eu-west-1")


def test_an_operation_gets_members_and_scope_and_answers_json(make_app: Callable[..., Any], register: Register) -> None:
    def describe(request: Any, context: Any) -> Any:
        assert context.scope == SCOPE
        return {
            "PipelineName": request["PipelineName"],
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
            "LastModifiedTime": 1.23456,
            "PipelineArn": None,
            "Secret": "not in the model",
        }

    register("sagemaker", "DescribePipeline", describe)
    answer = make_app().invoke(SCOPE, "sagemaker", "DescribePipeline", {"PipelineName": "p", "X": 1})
    assert answer == {"PipelineName": "p", "CreationTime": 1767225600.0, "LastModifiedTime": 1.235}


def test_requests_are_validated(make_app: Callable[..., Any], register: Register) -> None:
    register("sagemaker", "DescribeProcessingJob", lambda request, context: {})
    invoke = make_app().invoke
    with pytest.raises(AwsError, match="Value 'a_b' at 'processingJobName' failed to satisfy constraint"):
        invoke(SCOPE, "sagemaker", "DescribeProcessingJob", {"ProcessingJobName": "a_b"})
    with pytest.raises(AwsError, match="NUMBER_VALUE can not be converted to a String"):
        invoke(SCOPE, "sagemaker", "DescribeProcessingJob", {"ProcessingJobName": 1})


def test_times_may_come_as_they_are(make_app: Callable[..., Any], register: Register) -> None:
    seen: list[Any] = []
    register("sagemaker", "ListPipelines", lambda request, context: seen.append(request["CreatedAfter"]) or {})
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    invoke = make_app().invoke
    invoke(SCOPE, "sagemaker", "ListPipelines", {"CreatedAfter": moment})
    invoke(SCOPE, "sagemaker", "ListPipelines", {"CreatedAfter": moment.timestamp()})
    assert seen == [moment, moment]


def test_errors_reach_the_caller(make_app: Callable[..., Any], register: Register) -> None:
    def missing(request: Any, context: Any) -> Any:
        raise ResourceNotFound("gone")

    register("sagemaker", "ListPipelines", missing)
    invoke = make_app().invoke
    with pytest.raises(ResourceNotFound, match="gone"):
        invoke(SCOPE, "sagemaker", "ListPipelines", {})
    with pytest.raises(NotImplementedHere, match="sagemaker:ListHubs"):
        invoke(SCOPE, "sagemaker", "ListHubs", {})
