"""What the gateway asks of AWS's service models, beyond the models themselves.

Importing botocore takes 0.2 s and reading the SageMaker model 0.1 s, so neither happens before a request needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from emulator.aws import service_models

if TYPE_CHECKING:
    from botocore.model import OperationModel


class Shape(Protocol):
    """botocore's shapes in one type: ``type_name`` says which of the parts a shape has (a list has a ``member``)."""

    name: str
    type_name: str
    serialization: Mapping[str, Any]
    metadata: Mapping[str, Any]
    members: Mapping[str, Shape]
    required_members: list[str]
    member: Shape
    key: Shape
    value: Shape


def input_of(operation: OperationModel) -> Shape | None:
    return cast("Shape | None", operation.input_shape)


def output_of(operation: OperationModel) -> Shape | None:
    return cast("Shape | None", operation.output_shape)


@cache
def known_services() -> frozenset[str]:
    """The names of all services that botocore has a model of."""
    from botocore.loaders import Loader

    return frozenset(Loader().list_available_services("service-2"))


def operation_model(service: str, operation: str) -> OperationModel | None:
    """The model of an operation; None where the service is unknown or has no operation of that name."""
    if service not in known_services() or operation not in service_models.service_model(service).operation_names:
        return None
    return service_models.operation_model(service, operation)


def output_metadata(service: str, operation: str) -> dict[str, Any]:
    """Attributes of an operation's reference to its output, such as ``resultWrapper``."""
    model: Any = service_models.service_model(service)
    definition: dict[str, Any] = model._service_description["operations"][operation].get("output", {})
    return definition


def wire_name(shape: Shape, default: str) -> str:
    """The name of a member on the wire: its ``locationName`` or its own."""
    return str(shape.serialization.get("name", default))


def element_name(member: Shape, name: str) -> str:
    """The name that a member has among form fields and XML elements: that of its items where it is a flattened list."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        return wire_name(member.member, wire_name(member, name))
    return wire_name(member, name)
