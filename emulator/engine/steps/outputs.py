"""Output parameters, the properties of Lambda and Callback steps: declared with a type, given as JSON or as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from emulator.engine.definition import StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import Reference, as_text
from emulator.engine.paths import Key, Member, PathError

OUTPUTS = "OutputParameters"
MAX_OUTPUTS = 50
MAX_VALUE = 1024
_TYPES = ("String", "Integer", "Float", "Boolean")


class OutputError(ValueError):
    """A value is not of the type that its output was declared with."""


def check_outputs(step: StepDefinition) -> None:
    """Refuse, with DefinitionError, declarations that are none."""
    declared = step.extra.get(OUTPUTS, [])
    if not isinstance(declared, list):
        raise DefinitionError("Expecting start of Json Array.", step=step.name, field=OUTPUTS)
    if len(declared) > MAX_OUTPUTS:
        raise DefinitionError(f"A step has at most {MAX_OUTPUTS} outputs.", step=step.name, field=OUTPUTS)
    names: set[str] = set()
    for number, output in enumerate(declared):
        place = f"{OUTPUTS}[{number}]"
        if not isinstance(output, dict) or not isinstance(output.get("OutputName"), str):
            raise DefinitionError("An output needs an OutputName.", step=step.name, field=place)
        if output.get("OutputType", "String") not in _TYPES:
            reason = f"Unknown output type '{output['OutputType']}'. Known are {', '.join(_TYPES)}."
            raise DefinitionError(reason, step=step.name, field=f"{place}.OutputType")
        if output["OutputName"] in names:
            reason = f"Duplicate output name '{output['OutputName']}'."
            raise DefinitionError(reason, step=step.name, field=place)
        names.add(output["OutputName"])


def check_output_reference(reference: Reference) -> None:
    """Refuse, with PathError, a reference to anything but one output."""
    match reference.path:
        case (Member("OutputParameters"), Key(_) | Member(_)):
            return
        case _:
            raise PathError("a step of this type has the properties OutputParameters['<name>'] only")


def typed_outputs(step: StepDefinition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The declared outputs among ``values``, each as its type. One that was not given has no value: who refers to it
    fails and says so.

    Raises:
        OutputError: a value cannot be read as its type.
    """
    outputs: dict[str, Any] = {}
    for declared in step.extra.get(OUTPUTS, []):
        name, kind = declared["OutputName"], declared.get("OutputType", "String")
        if values.get(name) is not None:
            outputs[name] = _typed(name, kind, values[name])
    return outputs


def shown_outputs(outputs: Mapping[str, Any]) -> list[dict[str, str]]:
    """As ListPipelineExecutionSteps shows them."""
    return [{"Name": name, "Value": as_text(value)[:MAX_VALUE]} for name, value in outputs.items()]


def _typed(name: str, kind: str, value: Any) -> Any:
    try:
        return _READERS[kind](value)
    except (ValueError, OverflowError):  # infinity is no integer
        shown = as_text(value)[:100]
        raise OutputError(f"Output parameter '{name}' is not of type {kind}: {shown}") from None


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
        raise ValueError
    return int(_number(value))


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError
    number = float(_number(value))
    if not math.isfinite(number):  # a condition would choose a branch by what is no number
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in ("true", "false"):
        raise ValueError
    return value.lower() == "true"


def _number(value: Any) -> str | int | float:
    """Without the underscores that only Python takes for a part of it."""
    if not isinstance(value, str | int | float) or (isinstance(value, str) and "_" in value):
        raise ValueError
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "String": as_text,
    "Integer": _integer,
    "Float": _float,
    "Boolean": _boolean,
}
