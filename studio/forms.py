"""The form of a new execution: typed fields from the parameters, checked as the service would check them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from studio.definition import Definition, Parameter, as_text

LONGEST = 1024
"""Characters of a parameter's value (API shape PipelineParameter)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter's input: what stands in it, and what is wrong with that."""

    parameter: Parameter
    text: str
    error: str = ""

    @property
    def choices(self) -> list[str]:
        if self.parameter.choices:
            return [as_text(choice) for choice in self.parameter.choices]
        return ["true", "false"] if self.parameter.type == "Boolean" else []

    @property
    def is_changed(self) -> bool:
        return self.text != self.parameter.default_text


def read_fields(definition: Definition, typed: Mapping[str, str], *, check: bool) -> list[Field]:
    """A field for every parameter, with what was typed or else its default."""
    fields = []
    for parameter in definition.parameters:
        text = typed.get(parameter.name, parameter.default_text)
        fields.append(Field(parameter, text, check_value(parameter, text) if check else ""))
    return fields


def given(fields: list[Field]) -> dict[str, str]:
    """What to send: the values that differ from the defaults, so that a later default is not frozen."""
    return {field.parameter.name: field.text for field in fields if field.is_changed or not field.parameter.has_default}


def check_value(parameter: Parameter, text: str) -> str:
    """What is wrong with a value, in one sentence; nothing if it is fine."""
    if not text and not (parameter.has_default and parameter.type == "String"):
        return "A value is needed: the parameter has no default." if not parameter.has_default else "A value is needed."
    if len(text) > LONGEST:
        return f"At most {LONGEST} characters; these are {len(text)}."
    if wrong := _check_type(parameter.type, text):
        return wrong
    choices = [as_text(choice) for choice in parameter.choices]
    if choices and text not in choices:
        return f"One of: {', '.join(choices)}."
    return ""


def _check_type(kind: str, text: str) -> str:
    match kind:
        case "Integer":
            try:
                int(text)
            except ValueError:
                return f"A whole number is needed, not “{text}”."
        case "Float":
            try:
                number = float(text)
            except ValueError:
                return f"A number is needed, not “{text}”."
            return "" if math.isfinite(number) else "A finite number is needed."
        case "Boolean":
            return "" if text.lower() in ("true", "false") else "true or false."
    return ""
