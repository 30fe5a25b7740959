"""PL2xx: parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, nodes, parameter_of
from pipelines.errors import suggest

MOST_PARAMETERS = 200
TEXT_FIELDS = re.compile(r"\.(HyperParameters|Environment)\.[^.]+$|\.(ContainerArguments|ContainerEntrypoint)\[\d+\]$")
NUMBER_FIELDS = re.compile(
    r"\.(InstanceCount|VolumeSizeInGB|MaxRuntimeInSeconds|MaxConcurrentTransforms|MaxPayloadInMB)$"
)
TYPES: dict[str, tuple[type, ...]] = {"String": (str,), "Integer": (int,), "Float": (float, int), "Boolean": (bool,)}


@check("PL201", "unused parameter", "warning")
def unused_parameter(subject: Subject) -> Iterator[Problem]:
    """Nobody can tell that setting it does nothing. Use it in a step, or remove it from `parameters=`."""
    used = {value for path, value in nodes(subject.definition) if isinstance(value, str) and path.endswith("Get")}
    for parameter in subject.parameters:
        if f"Parameters.{parameter.name}" not in used:
            yield Problem(
                f"parameter {parameter.name} is used by no step",
                "use it, or remove it from the pipeline's parameters",
                where=subject.where_text(parameter.name),
            )


@check("PL202", "unknown parameter")
def unknown_parameter(subject: Subject) -> Iterator[Problem]:
    """SageMaker refuses the definition. The parameter is missing in the pipeline's `parameters=`."""
    for reference in subject.references:
        root, _, name = reference.path.partition(".")
        if root == "Parameters" and name not in subject.types:
            hint = suggest(name, subject.types)
            yield Problem(
                f"there is no parameter {name!r}{hint}", "add it to parameters=", reference.step, reference.field
            )


@check("PL203", "number where a text is wanted")
def number_for_text(subject: Subject) -> Iterator[Problem]:
    """Hyperparameters, environment variables and container arguments are strings in the API: a parameter of type
    Integer, Float or Boolean there makes the job's request invalid. Use `parameter.to_string()`."""
    for step, field, name in _parameters_in(subject, TEXT_FIELDS):
        kind = subject.types.get(name, "String")
        if kind != "String":
            yield Problem(f"{name} is of type {kind}, and this is a string", f"use {name}.to_string()", step, field)


@check("PL204", "text where a number is wanted")
def text_for_number(subject: Subject) -> Iterator[Problem]:
    """Counts, sizes and times are integers in the API: a ParameterString there fails when the job is created."""
    for step, field, name in _parameters_in(subject, NUMBER_FIELDS):
        kind = subject.types.get(name, "Integer")
        if kind != "Integer":
            yield Problem(
                f"{name} is of type {kind}, and this is an integer", "make it a ParameterInteger", step, field
            )


@check("PL205", "default of another type or outside the enum")
def wrong_default(subject: Subject) -> Iterator[Problem]:
    """SageMaker refuses the definition."""
    for parameter in subject.parameters:
        where = subject.where_text(parameter.name)
        value = parameter.default
        if value is None:
            continue
        if not isinstance(value, TYPES.get(parameter.type, (object,))) or _is_odd_boolean(parameter.type, value):
            yield Problem(
                f"the default {value!r} of {parameter.name} is no {parameter.type}",
                "correct default_value",
                where=where,
            )
        elif parameter.choices and value not in parameter.choices:
            choices = ", ".join(str(choice) for choice in parameter.choices)
            yield Problem(
                f"the default {value!r} of {parameter.name} is none of {choices}", "correct default_value", where=where
            )


@check("PL206", "parameter given twice")
def repeated_parameter(subject: Subject) -> Iterator[Problem]:
    """SageMaker refuses the definition."""
    counts = Counter(parameter.name for parameter in subject.parameters)
    for name, count in counts.items():
        if count > 1:
            where = subject.where_text(name)
            yield Problem(f"there are {count} parameters named {name}", "give each another name", where=where)


@check("PL207", "too many parameters")
def too_many_parameters(subject: Subject) -> Iterator[Problem]:
    """A start takes at most 200 (API shape ParameterList)."""
    if len(subject.parameters) > MOST_PARAMETERS:
        yield Problem(f"{len(subject.parameters)} parameters, and {MOST_PARAMETERS} are the limit", "join some of them")


def _is_odd_boolean(kind: str, value: Any) -> bool:
    return isinstance(value, bool) and kind in ("Integer", "Float")


def _parameters_in(subject: Subject, fields: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """Step, field and parameter name of every parameter that stands by itself in one of some fields."""
    for step, arguments in subject.of_type("Processing", "Training", "Transform", "Tuning", "Model", "RegisterModel"):
        for path, value in nodes(arguments, "Arguments"):
            if fields.search(path) and (name := parameter_of(value)):
                yield step, path, name
