from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.services.sagemaker import models
from emulator.store.resources import Scope
from tests.emulator.services.sagemaker.registry_calls import MODEL, SCOPE, Registry, specification

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
ARN = f"arn:aws:sagemaker:eu-west-1:123456789012:{models.KIND}/Flights"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    yield registry
    registry.close()


def container(**members: Any) -> dict[str, Any]:
    return {"Image": IMAGE, "ModelDataUrl": MODEL, **members}


def create(registry: Registry, name: str = "Flights", **members: Any) -> str:
    request = {"ModelName": name, "ExecutionRoleArn": ROLE, **members}
    if "Containers" not in members:
        request.setdefault("PrimaryContainer", container())
    return str(registry.CreateModel(**request)["ModelArn"])


def test_a_model_is_described_as_it_was_created(registry: Registry) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    arn = create(registry, VpcConfig=vpc, EnableNetworkIsolation=True, Tags=[{"Key": "team", "Value": "x"}])

    found = registry.DescribeModel(ModelName="Flights")
    assert arn == ARN == found["ModelArn"]
    assert found["PrimaryContainer"] == {**container(), "Mode": "SingleModel"}
    assert "Containers" not in found
    assert (found["VpcConfig"], found["EnableNetworkIsolation"], found["ExecutionRoleArn"]) == (vpc, True, ROLE)
    assert registry.ListTags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "x"}]


def test_an_inference_pipeline_keeps_the_order_of_its_containers(registry: Registry) -> None:
    containers = [container(ContainerHostname="first"), container(ContainerHostname="second", Mode="SingleModel")]
    create(registry, Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})

    found = registry.DescribeModel(ModelName="flights")
    assert [one["ContainerHostname"] for one in found["Containers"]] == ["first", "second"]
    assert "PrimaryContainer" not in found
    assert found["InferenceExecutionConfig"] == {"Mode": "Direct"}
    assert found["EnableNetworkIsolation"] is False


def test_a_name_is_taken_until_the_model_is_deleted(registry: Registry) -> None:
    create(registry)
    error = registry.fails("CreateModel", ModelName="Flights", PrimaryContainer=container())
    assert (error.code, error.message) == ("ValidationException", f'Cannot create already existing model "{ARN}".')

    registry.DeleteModel(ModelName="Flights")
    for operation in ("DescribeModel", "DeleteModel"):
        error = registry.fails(operation, ModelName="Flights")
        assert (error.code, error.message) == ("ValidationException", f'Could not find model "{ARN}".')
    assert create(registry) == ARN


def test_models_are_listed_by_name_part_and_page(registry: Registry) -> None:
    for number in range(3):
        create(registry, f"flights-{number}")
    create(registry, "other")

    page = registry.ListModels(NameContains="FLIGHT", MaxResults=2, SortBy="Name")
    rest = registry.ListModels(NameContains="FLIGHT", MaxResults=2, SortBy="Name", NextToken=page["NextToken"])
    assert [model["ModelName"] for model in page["Models"] + rest["Models"]] == [f"flights-{n}" for n in range(3)]
    assert rest["NextToken"] is None
    assert registry.call("ListModels", {}, Scope("210987654321", SCOPE.region))["Models"] == []


@pytest.mark.parametrize("url", ["s3://models/missing/model.tar.gz", "s3://nowhere/model.tar.gz", "s3://models/run-1/"])
def test_model_data_must_be_there(registry: Registry, url: str) -> None:
    error = registry.fails("CreateModel", ModelName="m", PrimaryContainer=container(ModelDataUrl=url))
    assert (error.code, error.message) == ("ValidationException", f"Could not find model data at {url}.")
    assert registry.ListModels()["Models"] == []


def test_many_models_and_uncompressed_models_lie_under_a_prefix(registry: Registry) -> None:
    create(registry, "many", PrimaryContainer=container(ModelDataUrl="s3://models/run-1/", Mode="MultiModel"))
    source = {"S3Uri": "s3://models/run-1/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    unpacked = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}}
    create(registry, "unpacked", PrimaryContainer=unpacked)

    error = registry.fails(
        "CreateModel",
        ModelName="object",
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataSource": {"S3DataSource": source | {"S3DataType": "S3Object", "CompressionType": "Gzip"}},
        },
    )
    assert error.message == "Could not find model data at s3://models/run-1/."


def test_a_container_may_stand_for_a_model_package(registry: Registry) -> None:
    registry.CreateModelPackageGroup(ModelPackageGroupName="flights")
    package = registry.CreateModelPackage(ModelPackageGroupName="flights", InferenceSpecification=specification())[
        "ModelPackageArn"
    ]
    create(registry, PrimaryContainer={"ModelPackageName": package})

    assert registry.DescribeModel(ModelName="Flights")["PrimaryContainer"]["ModelPackageName"] == package
    error = registry.fails("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": f"{package}9"})
    assert error.message == f"ModelPackage {package}9 does not exist."


MULTI = container(ModelDataUrl="s3://models/run-1/", Mode="MultiModel")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "Either PrimaryContainer or Containers must be specified."),
        ({"Containers": []}, "Either PrimaryContainer or Containers must be specified."),
        (
            {"PrimaryContainer": container(), "Containers": [container()]},
            "Only one of PrimaryContainer or Containers can be specified.",
        ),
        ({"PrimaryContainer": {"ModelDataUrl": MODEL}}, "A container must specify either Image or ModelPackageName."),
        (
            {"Containers": [container(ContainerHostname="a"), container(ContainerHostname="a")]},
            "ContainerHostname must be unique within the containers of a model.",
        ),
        (
            {"Containers": [container(), container()], "InferenceExecutionConfig": {"Mode": "Direct"}},
            "ContainerHostname is required for every container when the execution mode is Direct.",
        ),
        (
            {"Containers": [MULTI, MULTI]},
            "More than one container in MultiModel mode is not supported with inference pipeline.",
        ),
        (
            {
                "PrimaryContainer": container(
                    ModelDataSource={
                        "S3DataSource": {"S3Uri": MODEL, "S3DataType": "S3Object", "CompressionType": "Gzip"}
                    }
                )
            },
            "Only one of ModelDataUrl or ModelDataSource can be specified for a container.",
        ),
    ],
)
def test_models_that_could_not_run_are_refused(registry: Registry, members: dict[str, Any], message: str) -> None:
    error = registry.fails("CreateModel", ModelName="m", **members)
    assert (error.code, error.message) == ("ValidationException", message)
