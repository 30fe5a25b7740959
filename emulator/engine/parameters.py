"""Parameters of a pipeline: their declaration in the definition, and the values of one execution."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from emulator.engine.errors import DefinitionError, ParameterError
from emulator.engine.expressions import as_text

Value: TypeAlias = str | int | float | bool

TYPES = ("String", "Integer", "Float", "Boolean")
MAX_PARAMETERS = 200
MAX_VALUE = 1024
_MEMBERS = ("Name", "Type", "DefaultValue", "EnumValues")
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    default: Value | None = None
    choices: tuple[Value, ...] = ()

    def read(self, value: Any) -> Value:
        """``value``, a JSON value or the text of one, as this parameter's type.

        Raises:
            ValueError: it is not of the type, or not one of the choices.
        """
        typed = _READERS[self.type](value)
        if typed is None:
            raise ValueError(f"'{as_text(value)}' is not of type {self.type}")
        if isinstance(typed, str) and len(typed) > MAX_VALUE:
            raise ValueError(f"a value of {len(typed)} characters is longer than {MAX_VALUE}")
        if self.choices and typed not in self.choices:
            allowed = ", ".join(map(as_text, self.choices))
            raise ValueError(f"'{as_text(value)}' is not one of its enum values [{allowed}]")
        return typed


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return value


def _float(value: Any) -> float | None:
    if isinstance(value, str) and _FLOAT.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


_READERS = {"String": _string, "Integer": _integer, "Float": _float, "Boolean": _boolean}


def parse_parameters(document: Any) -> dict[str, Parameter]:
    """The ``Parameters`` of a definition, by name.

    Raises:
        DefinitionError: a declaration is malformed or appears twice.
    """
    if not isinstance(document, list):
        raise DefinitionError("Expecting start of Json Array.", field="Parameters")
    if len(document) > MAX_PARAMETERS:
        reason = f"A pipeline has at most {MAX_PARAMETERS} parameters; this has {len(document)}."
        raise DefinitionError(reason, field="Parameters")
    parameters: dict[str, Parameter] = {}
    for number, item in enumerate(document):
        parameter = _parse(item, f"Parameters[{number}]")
        if parameter.name in parameters:
            raise DefinitionError(
                f"Parameter names must be unique. Duplicate name '{parameter.name}'.", field="Parameters"
            )
        parameters[parameter.name] = parameter
    return parameters


def _parse(item: Any, field: str) -> Parameter:
    if not isinstance(item, dict):
        raise DefinitionError("Expecting start of Json Object.", field=field)
    for member in item:
        if member not in _MEMBERS:
            raise DefinitionError(f"Cannot parse object, unknown property '{member}'.", field=field)
    name, kind = item.get("Name"), item.get("Type")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DefinitionError(f"Invalid parameter name '{name}'.", field=f"{field}.Name")
    if kind not in TYPES:
        raise DefinitionError(
            f"Parameter '{name}' has unknown type '{kind}'. Known are {', '.join(TYPES)}.", field=f"{field}.Type"
        )
    choices = item.get("EnumValues", [])
    if not isinstance(choices, list):
        raise DefinitionError("Expecting start of Json Array.", field=f"{field}.EnumValues")
    return _typed(Parameter(name, kind), item.get("DefaultValue"), choices, field)


def _typed(bare: Parameter, default: Any, choices: list[Any], field: str) -> Parameter:
    try:
        parameter = Parameter(bare.name, bare.type, choices=tuple(bare.read(choice) for choice in choices))
        if default is None:
            return parameter
        return Parameter(bare.name, bare.type, parameter.read(default), parameter.choices)
    except ValueError as error:
        raise DefinitionError(f"Parameter '{bare.name}': {error}.", field=field) from None


def bind_parameters(declared: Mapping[str, Parameter], given: Sequence[Mapping[str, str]]) -> dict[str, Value]:
    """The values of one execution: what StartPipelineExecution gives, defaults for the rest.

    Raises:
        ParameterError: an unknown or repeated name, a value of another type or outside the enum, or none at all.
    """
    values: dict[str, Value] = {}
    for item in given:
        name = item["Name"]
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ParameterError(f"Parameter '{name}' is not defined in the pipeline. Its parameters are: {known}.")
        if name in values:
            raise ParameterError(f"Parameter '{name}' is given more than once.")
        try:
            values[name] = declared[name].read(item["Value"])
        except ValueError as error:
            raise ParameterError(f"Invalid value for parameter '{name}': {error}.") from None
    missing = [name for name, it in declared.items() if it.default is None and name not in values]
    if missing:
        raise ParameterError(
            f"Parameters without a default value must be given at the start. Missing: {', '.join(missing)}."
        )
    defaults = {name: it.default for name, it in declared.items() if it.default is not None}
    return {**defaults, **values}
