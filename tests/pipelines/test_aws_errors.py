from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from pipelines.aws_errors import is_missing, translate
from pipelines.environments import Endpoint, Target, load_target
from pipelines.errors import AwsCallError, EndpointError


@pytest.fixture
def target(project: Path) -> Target:
    return load_target(project, "local")


def refused(code: str, message: str = "because") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreatePipeline")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ExpiredTokenException", "aws sso login"),
        ("UnrecognizedClientException", "aws sts get-caller-identity"),
        ("AccessDeniedException", "lacks this permission"),
        ("ThrottlingException", "in a minute"),
        ("ValidationException", "because"),
    ],
)
def test_a_refusal_keeps_awss_words_and_adds_the_next_step(target: Target, code: str, hint: str) -> None:
    error = translate(refused(code), target)
    assert isinstance(error, AwsCallError)
    assert str(error).startswith(f"environment local: CreatePipeline was refused ({code}): because")
    assert hint in str(error)
    assert error.exit_code == 5


def test_an_endpoint_that_does_not_answer_can_be_started(target: Target) -> None:
    error = translate(EndpointConnectionError(endpoint_url="http://127.0.0.1:1/"), target)
    assert isinstance(error, EndpointError)
    assert error.exit_code == 3
    assert "http://127.0.0.1:1/" in str(error)
    assert str(error).endswith("Start it: emulator start")


def test_missing_credentials_say_where_they_come_from(target: Target) -> None:
    assert 'eval "$(emulator env)"' in str(translate(NoCredentialsError(), target))
    assert "AWS_PROFILE" in str(translate(NoCredentialsError(), replace(target, endpoint=Endpoint())))


def test_other_errors_are_not_ours_to_explain(target: Target) -> None:
    assert translate(ValueError("x"), target) is None


def test_sagemaker_says_in_several_ways_that_something_is_missing() -> None:
    assert is_missing(refused("ResourceNotFound"))
    assert is_missing(refused("ValidationException", "Could not find pipeline with PipelineName x."))
    assert is_missing(refused("NoSuchBucket"))
    assert not is_missing(refused("ValidationException", "1 validation error detected"))
    assert not is_missing(refused("AccessDeniedException"))
