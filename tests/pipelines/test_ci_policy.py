"""The policy for CI holds the calls that CI makes, and no other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.build import BuiltPipeline
from pipelines.ci_policy import ci_statements
from pipelines.environments import load_target
from pipelines.policy import document, is_allowed
from tests.pipelines.conftest import Cli
from tests.pipelines.test_images import SMALL_ENGINE, program

ACTIONS = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket"}
IMPLIED = {
    "iam:PassRole": "SageMaker checks it when the pipeline is created",
    "s3:GetObject": "SageMaker reads a long definition with the caller's permissions",
    "sagemaker:AddTags": "CreatePipeline with tags",
    "sagemaker:ListTags": "where the environment has tags",
    "sagemaker:ListPipelineVersions": "pipelines history",
    "ecr:TagResource": "CreateRepository with tags",
    **dict.fromkeys(
        (
            *("ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"),
            *("ecr:CompleteLayerUpload", "ecr:PutImage"),
        ),
        "what ECR asks for when docker or podman pushes",
    ),
    **dict.fromkeys(("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), "images push --from"),
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Action and ARN of every call of the tool."""
    from botocore import handlers

    found: list[tuple[str, str]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        found.append((f"{service}:{ACTIONS.get(model.name, model.name)}", arn_of(service, params)))

    monkeypatch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, ("provide-client-params", note)])
    return found


def arn_of(service: str, params: dict[str, Any]) -> str:
    match service:
        case "s3":
            key = params.get("Key", "")
            return f"arn:aws:s3:::{params['Bucket']}" + (f"/{key}" if key else "")
        case "ecr":
            name = params.get("repositoryName") or (params.get("repositoryNames") or ["*"])[0]
            return "*" if name == "*" else f"arn:aws:ecr:us-east-1:123456789012:repository/{name}"
        case _:
            name = params["PipelineName"]
            return f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{name}"


def test_ci_makes_the_calls_that_its_policy_allows(
    cli: Cli,
    built: BuiltPipeline,
    ecr: Any,
    calls: list[tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = built.folder.parents[2]
    program(tmp_path / "podman", f'exec {sys.executable} -S {SMALL_ENGINE} "$@"')
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SMALL_ENGINE_STORE", str(tmp_path))
    target = load_target(root, "local")
    from pipelines.connection import Connection

    Connection(target).s3.create_bucket(Bucket=target.environment.bucket)
    calls.clear()
    suffix = ("--suffix", "ci")
    assert cli(root, "plan", "tiny", *suffix).exit_code == 2
    assert cli(root, "images", "build").exit_code == 0
    assert cli(root, "images", "push").exit_code == 0
    assert "created arn:" in cli(root, "upsert", "tiny", *suffix).output
    assert cli(root, "images", "push").exit_code == 0
    assert "unchanged arn:" in cli(root, "upsert", "tiny", *suffix).output
    Connection(target).sagemaker.update_pipeline(PipelineName="tiny-ci", RoleArn="arn:aws:iam::123456789012:role/Other")
    assert "updated arn:" in cli(root, "upsert", "tiny", *suffix).output
    held = document(ci_statements(built.definition, "tiny", "tiny-ci", target.environment))
    refused = [call for call in calls if not is_allowed(held, *call)]
    assert refused == []
    granted = {action for each in held["Statement"] for action in each["Action"]}
    assert granted - {action for action, _ in calls} == set(IMPLIED)


def test_a_long_definition_is_within_the_policy(built: BuiltPipeline) -> None:
    environment = load_target(built.folder.parents[2], "local").environment
    held = document(ci_statements(built.definition, "tiny", "tiny", environment))
    place = f"arn:aws:s3:::{environment.bucket}/tiny/definitions/x.json"
    assert is_allowed(held, "s3:PutObject", place)
    assert is_allowed(held, "s3:GetObject", place)
    assert not is_allowed(held, "s3:GetObject", place.replace("definitions", "assets"))
    assert json.loads(json.dumps(held)) == held
