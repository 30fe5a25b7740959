"""Checking ``-p NAME=VALUE`` against the parameters of a definition, before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pipelines.definition import Parameter
from pipelines.errors import ParameterError, suggest


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "String": (str, "any text"),
    "Integer": (int, "a whole number such as 5"),
    "Float": (float, "a number such as 0.5"),
    "Boolean": (_boolean, "true or false"),
}


def check_parameters(given: Iterable[str], known: Iterable[Parameter], pipeline: str) -> list[dict[str, str]]:
    """The ``PipelineParameters`` of a start, from texts ``NAME=VALUE``.

    Raises:
        ParameterError: an unknown name, a value of another type or outside the enum, or a required one missing.
    """
    by_name = {parameter.name: parameter for parameter in known}
    values = dict(_split(text) for text in given)
    for name, text in values.items():
        if name not in by_name:
            raise ParameterError(f"Pipeline {pipeline} has no parameter {name!r}{suggest(name, by_name)}")
        _check_value(by_name[name], text, pipeline)
    missing = [name for name, parameter in by_name.items() if parameter.default is None and name not in values]
    if missing:
        example = " ".join(f"-p {name}=…" for name in missing)
        raise ParameterError(f"Pipeline {pipeline} needs values without a default: add {example}")
    return [{"Name": name, "Value": text} for name, text in values.items()]


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"-p {text} is not of the form NAME=VALUE")
    return name, value


def _check_value(parameter: Parameter, text: str, pipeline: str) -> None:
    read, meaning = READERS.get(parameter.type, READERS["String"])
    where = f"Parameter {parameter.name} of pipeline {pipeline}"
    try:
        value = read(text)
    except (ValueError, KeyError):
        raise ParameterError(f"{where} is of type {parameter.type} ({meaning}), which {text!r} is not") from None
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(str(choice) for choice in parameter.choices)
        raise ParameterError(f"{where} is one of {choices}, which {text!r} is not")
