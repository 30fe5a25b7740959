"""What AWS's API wants of a step's arguments: checked when a pipeline is created, coerced when its step runs."""

from __future__ import annotations

from typing import Any, TypeAlias

from emulator.aws.service_models import operation_model
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import as_text, is_expression
from emulator.engine.paths import Index, Key, Member, Path, PathError, Segment, show

Shape: TypeAlias = Any
"""A ``botocore.model.Shape``; its attributes depend on its ``type_name``."""

_NUMBERS: dict[str, Any] = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


def input_shape(operation: str) -> Shape:
    """The request of a SageMaker operation."""
    return operation_model("sagemaker", operation).input_shape


def output_shape(operation: str) -> Shape:
    """The response of a SageMaker operation."""
    return operation_model("sagemaker", operation).output_shape


def coerce(shape: Shape, value: Any) -> Any:
    """``value`` with numbers and booleans written as strings wherever the API wants a string."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = shape.members
        return {key: coerce(members[key], item) if key in members else item for key, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [coerce(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: coerce(shape.value, item) for key, item in value.items()}
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return as_text(value)
    return value


def check_arguments(shape: Shape, value: Any, step: str, field: str) -> None:
    """Refuse arguments that the step's operation would never take; expressions are taken on trust.

    Raises:
        DefinitionError: an unknown member, a value of another type, too long or outside its enum.
    """
    if is_expression(value):
        return
    match shape.type_name:
        case "structure":
            _check_structure(shape, value, step, field)
        case "list":
            if not isinstance(value, list):
                raise DefinitionError("Expecting start of Json Array.", step=step, field=field)
            _check_count(shape, value, step, field)
            for number, item in enumerate(value):
                check_arguments(shape.member, item, step, f"{field}[{number}]")
        case "map":
            _check_count(shape, _object(value, step, field), step, field)
            for key, item in _object(value, step, field).items():
                check_arguments(shape.value, item, step, f"{field}.{key}")
        case _:
            _check_scalar(shape, value, step, field)


def _check_structure(shape: Shape, value: Any, step: str, field: str) -> None:
    for key, item in _object(value, step, field).items():
        if key not in shape.members:
            raise DefinitionError(f"Unknown Argument member '{key}'.", step=step, field=f"{field}.{key}")
        check_arguments(shape.members[key], item, step, f"{field}.{key}")


def _check_count(shape: Shape, value: dict[str, Any] | list[Any], step: str, field: str) -> None:
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        excess = f"container {shape.name} length ({len(value)}) exceeds maximum limit ({most})."
        raise DefinitionError(f"Model validation failed - {excess}", step=step, field=field)


def _object(value: Any, step: str, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DefinitionError("Expecting start of Json Object.", step=step, field=field)
    return value


def _check_scalar(shape: Shape, value: Any, step: str, field: str) -> None:
    kind = shape.type_name
    if isinstance(value, dict | list):
        found = "Object" if isinstance(value, dict) else "Array"
        raise DefinitionError(f"Expecting a {kind}, not a Json {found}.", step=step, field=field)
    if kind in _NUMBERS and (isinstance(value, bool) or not isinstance(value, _NUMBERS[kind])):
        raise DefinitionError(f"Expecting a number, not '{as_text(value)}'.", step=step, field=field)
    if kind == "boolean" and not isinstance(value, bool):
        raise DefinitionError(f"Expecting a boolean, not '{as_text(value)}'.", step=step, field=field)
    most = shape.metadata.get("max") if kind == "string" and isinstance(value, str) else None
    if most is not None and len(value) > most:
        reason = f"Model Validation failed: string '{value}' with length={len(value)} cannot be greater than {most}."
        raise DefinitionError(reason, step=step, field=field)
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        raise DefinitionError(
            f"Model Validation failed: Value '{as_text(value)}' for '{shape.name}' failed to satisfy enum value set:"
            f" [{', '.join(enum)}]",
            step=step,
            field=field,
        )


def check_path(shape: Shape, path: Path) -> None:
    """Refuse a path into a response that leads to nothing, by the response's shape alone.

    Raises:
        PathError: what does not exist, and what does.
    """
    for segment in path:
        shape = _step_into(shape, segment)


def _step_into(shape: Shape, segment: Segment) -> Shape:
    match shape.type_name, segment:
        case "structure", Member(name) | Key(name):
            if name not in shape.members:
                raise PathError(f"'{shape.name}' has no '{name}'; it has {', '.join(shape.members)}")
            return shape.members[name]
        case "map", Member(_) | Key(_):
            return shape.value
        case "list", Key(_) | Index(_):
            return shape.member
        case kind, _:
            raise PathError(f"{show(segment)} does not apply to '{shape.name}', a {kind}")
