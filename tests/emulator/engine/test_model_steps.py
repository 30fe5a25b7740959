"""Model steps, and the registration of inference pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import ROLE, Crash, eventually, processing, register, text_of, training
from tests.emulator.engine.real_operations import RealWorld, real_world

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"
URL = "s3://bucket/model.tar.gz"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RealWorld]:
    with real_world(tmp_path) as world:
        world.put("model.tar.gz")
        yield world


def model(name: str = "Model", *after: str, **arguments: Any) -> dict[str, Any]:
    request = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": URL}} | arguments
    return {"Name": name, "Type": "Model", "Arguments": request, "DependsOn": list(after)}


def test_a_model_is_created_and_its_description_is_the_step_s_properties(world: RealWorld) -> None:
    uses = {"NAME": {"Get": "Steps.Model.ModelName"}, "URL": {"Get": "Steps.Model.PrimaryContainer.ModelDataUrl"}}
    arn = world.start([model(), processing("After", arguments={"Environment": uses})])

    assert world.wait(arn).status == "Succeeded"
    (found,) = world.call("ListModels")["Models"]
    assert world.steps(arn)["Model"].metadata == {"Model": {"Arn": found["ModelArn"]}}
    assert found["ModelName"].startswith(f"pipelines-{arn.rpartition('/')[2]}-Model-")
    (request,) = world.sagemaker.made("CreateProcessingJob")
    assert request["Environment"] == {"NAME": found["ModelName"], "URL": URL}


def test_a_name_in_the_definition_is_a_prefix(world: RealWorld) -> None:
    arn = world.start([model(ModelName={"Std:Join": {"On": "-", "Values": ["my", "model"]}})])
    world.wait(arn)
    (found,) = world.call("ListModels")["Models"]
    assert found["ModelName"].startswith(f"my-model-{arn.rpartition('/')[2]}-")


def test_an_inference_pipeline_of_two_containers(world: RealWorld) -> None:
    containers = [{"Image": IMAGE, "ModelDataUrl": URL}, {"Image": IMAGE, "Environment": {"DEPTH": 3}}]
    step = {"Name": "Model", "Type": "Model", "Arguments": {"ExecutionRoleArn": ROLE, "Containers": containers}}
    second = {"Get": "Steps.Model.Containers[1].Environment['DEPTH']"}
    arn = world.start([step, processing("After", arguments={"Environment": {"DEPTH": second}})])
    assert world.wait(arn).status == "Succeeded"
    assert world.sagemaker.made("CreateProcessingJob")[0]["Environment"] == {"DEPTH": "3"}


def test_missing_model_data_fails_the_step_in_the_words_of_the_service(world: RealWorld) -> None:
    arn = world.start([model(PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://bucket/none"})])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["Model"].reason == (
        "ClientError: Failed to invoke sagemaker:CreateModel."
        " Error Details: Could not find model data at s3://bucket/none."
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_crash_after_the_call_does_not_make_a_second_model(world: RealWorld) -> None:
    real = world.sagemaker.real

    def dying(*call: Any) -> dict[str, Any]:
        real(*call)
        raise Crash

    world.sagemaker.real = dying
    arn = world.start([model()])
    eventually(lambda: not world.engine._scheduler._thread.is_alive())
    world.restart()
    assert world.wait(arn).status == "Succeeded"
    assert len(world.call("ListModels")["Models"]) == 1


def test_arguments_that_create_model_does_not_know_are_refused() -> None:
    with pytest.raises(DefinitionError, match="Unknown Argument member 'Container'") as raised:
        check_definition(read_definition(text_of([model(Container={})])))
    assert "step 'Model', field Arguments.Container" in raised.value.message


def test_a_registered_inference_pipeline_has_its_containers_in_order(world: RealWorld) -> None:
    artifacts = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    containers = [
        {"Image": IMAGE, "ModelDataUrl": URL, "ContainerHostname": "prepare"},
        {"Image": IMAGE, "ModelDataUrl": artifacts, "ContainerHostname": "predict"},
    ]
    specification = {
        "Containers": containers,
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arguments = {"InferenceSpecification": specification, "SkipModelValidation": "All"}
    arn = world.start([training("Train"), register("Register", arguments=arguments)])

    assert world.wait(arn).status == "Succeeded"
    package = world.steps(arn)["Register"].metadata["RegisterModel"]["Arn"]
    found = world.call("DescribeModelPackage", ModelPackageName=package)["InferenceSpecification"]["Containers"]
    assert [container["ContainerHostname"] for container in found] == ["prepare", "predict"]
    assert found[1]["ModelDataUrl"].endswith("/output/model.tar.gz")
