"""Models: the containers that endpoints and transform jobs run (API Reference, CreateModel).

A model has either one ``PrimaryContainer`` or the ``Containers`` of an inference pipeline. What a container names
must be there: its data in the object store, its package in the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.model_package_groups import registry_paging
from emulator.services.sagemaker.model_packages import check_model_data, find_package
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

KIND = "model"
_DESCRIBED = (
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)


@operation("sagemaker", "CreateModel")
def create_model(request: Request, context: Context) -> Response:
    tags = request.get("Tags") or []
    check_new_tags(tags)
    containers = _containers(request)
    _check_execution(request, containers)
    for container in containers:
        _check_container(container, context)
    name = request["ModelName"]
    arn = _arn(context, name)
    body = {member: request[member] for member in _DESCRIBED if request.get(member)}
    model = Resource(context.scope, KIND, name, arn, body, status="InService")
    resources = context.app.resources
    with resources.database.transaction():
        if not resources.insert(model):
            raise ValidationException(f'Cannot create already existing model "{arn}".')
        resources.add_tags(arn, tags)
    return {"ModelArn": arn}


@operation("sagemaker", "DescribeModel")
def describe_model(request: Request, context: Context) -> Response:
    model = find_model(context, request["ModelName"])
    return {
        "ModelName": model.name,
        "ModelArn": model.arn,
        "CreationTime": model.created,
        "EnableNetworkIsolation": False,
        **model.body,
        **_with_mode(model.body),
    }


@operation("sagemaker", "ListModels")
def list_models(request: Request, context: Context) -> Response:
    models, token = context.app.resources.page(context.scope, Query(KIND, **registry_paging(request)))
    summaries = [{"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created} for model in models]
    return {"Models": summaries, "NextToken": token}


@operation("sagemaker", "DeleteModel")
def delete_model(request: Request, context: Context) -> Response:
    context.app.resources.delete(find_model(context, request["ModelName"]).arn)
    return {}


def find_model(context: Context, name: str) -> Resource:
    """The model of that name, in any case.

    Raises:
        ValidationException: there is none, in AWS's words.
    """
    model = context.app.resources.get(context.scope, KIND, name)
    if model is None:
        raise ValidationException(f'Could not find model "{_arn(context, name)}".')
    return model


def _arn(context: Context, name: str) -> str:
    return sagemaker_arn(context.account, context.region, KIND, name)


def _with_mode(body: dict[str, Any]) -> dict[str, Any]:
    """The containers as they are described: ``SingleModel`` is the mode of those that name none."""
    described: dict[str, Any] = {}
    if "PrimaryContainer" in body:
        described["PrimaryContainer"] = {"Mode": "SingleModel", **body["PrimaryContainer"]}
    if "Containers" in body:
        described["Containers"] = [{"Mode": "SingleModel", **container} for container in body["Containers"]]
    return described


def _containers(request: Request) -> list[dict[str, Any]]:
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if primary is not None and several:
        raise ValidationException("Only one of PrimaryContainer or Containers can be specified.")
    if primary is not None:
        return [primary]
    if not several:
        raise ValidationException("Either PrimaryContainer or Containers must be specified.")
    return list(several)


def _check_execution(request: Request, containers: list[dict[str, Any]]) -> None:
    """What the containers of one model demand of each other."""
    names = [container["ContainerHostname"] for container in containers if container.get("ContainerHostname")]
    if len(names) != len(set(names)):
        raise ValidationException("ContainerHostname must be unique within the containers of a model.")
    multi_model = [container for container in containers if container.get("Mode") == "MultiModel"]
    if len(containers) > 1 and len(multi_model) > 1:
        raise ValidationException(
            "More than one container in MultiModel mode is not supported with inference pipeline."
        )
    mode = (request.get("InferenceExecutionConfig") or {}).get("Mode")
    if mode == "Direct" and len(names) != len(containers):
        raise ValidationException(
            "ContainerHostname is required for every container when the execution mode is Direct."
        )


def _check_container(container: dict[str, Any], context: Context) -> None:
    package = container.get("ModelPackageName")
    if package is not None:
        find_package(context, package)
        return
    if not container.get("Image"):
        raise ValidationException("A container must specify either Image or ModelPackageName.")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    url = container.get("ModelDataUrl")
    if url and source:
        raise ValidationException("Only one of ModelDataUrl or ModelDataSource can be specified for a container.")
    if source:
        check_model_data(source["S3Uri"], context, prefix=source["S3DataType"] == "S3Prefix")
    elif url:
        check_model_data(url, context, prefix=container.get("Mode") == "MultiModel")
