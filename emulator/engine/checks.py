"""What a definition must hold beyond its form, checked when a pipeline is created or updated: every name in it exists,
every step can run here, and nothing waits for itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.engine.definition import Definition, PropertyFile, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import (
    EXECUTION_VARIABLES,
    EXPERIMENT_VARIABLES,
    GET,
    JOIN,
    JSON_GET,
    Reference,
    is_expression,
    parse_reference,
    references,
)
from emulator.engine.graph import Graph, check_acyclic, own_values
from emulator.engine.paths import Index, Key, Member, PathError, parse_path
from emulator.engine.steps import executor_of
from emulator.engine.triggers import AFTER

_FROZEN = re.compile(
    r"\bParameter(String|Integer|Float|Boolean)\(name=|\bJoin\(on=|\bJsonGet\(step_name="
    r"|<sagemaker\.[\w.]+ object at 0x|\{'(Get|Std:Join|Std:JsonGet)': ['{]"
)
_JOIN_MEMBERS = {"On", "Values"}
_JSON_GET_MEMBERS = {"PropertyFile", "S3Uri", "Path"}


def check_definition(definition: Definition) -> None:
    """Refuse a definition that could never run as it is written.

    Raises:
        DefinitionError: it names the step, the field and the reason.
    """
    for step in definition.steps.values():
        _check_step(step, definition, {})
    for body in definition.bodies.values():
        for step in body.values():
            _check_step(step, definition, body)
    _check_child_names(definition)
    for expression, field in references(definition.experiment, "PipelineExperimentConfig"):
        _check_expression(expression, definition, Place(None, field, {}))
    for expression, field in references(definition.mlflow, "MlflowConfig"):
        _check_expression(expression, definition, Place(None, field, {}))
    for body in definition.bodies.values():
        check_acyclic(Graph.of_body(body))
    check_acyclic(Graph.of(definition))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands; ``body`` has the steps of the ForEachBody around it."""

    step: StepDefinition | None
    field: str
    body: Mapping[str, StepDefinition]


def _check_step(step: StepDefinition, definition: Definition, body: Mapping[str, StepDefinition]) -> None:
    _check_dependencies(step, definition, body)
    executor_of(step).check(step, definition)
    for file in step.property_files.values():
        _check_property_file(step, file)
    values = own_values(step)
    _check_strings(values, step.name, "")
    for expression, where in references(values):
        _check_expression(expression, definition, Place(step, where, body))


def _check_child_names(definition: Definition) -> None:
    """Children are called ``<body step>-<index>``: no other step may be called so."""
    bodies = [name for body in definition.bodies.values() for name in body]
    for name in (*definition.steps, *bodies):
        head, _, number = name.rpartition("-")
        if number.isdigit() and head in bodies:
            reason = f"The name is that of a child of step '{head}', which runs for each item of a ForEach step."
            raise DefinitionError(reason, step=name, field="Name")


def _check_dependencies(step: StepDefinition, definition: Definition, body: Mapping[str, StepDefinition]) -> None:
    for number, dependency in enumerate(step.depends_on):
        field = f"DependsOn[{number}]"
        source = body.get(dependency.step) or definition.steps.get(dependency.step)
        if source is None:
            raise DefinitionError(f"Unknown step '{dependency.step}'.", step=step.name, field=field)
        if not _ends_asked_for(step, source):
            reason = f"'{step.name}' asks for ends of '{source.name}' that exclude each other."
            raise DefinitionError(reason, step=step.name, field=field)
        if source.type == "Fail":
            raise DefinitionError(f"{step.name} can not depends on {source.name}.", step=step.name, field=field)


def _ends_asked_for(step: StepDefinition, source: StepDefinition) -> frozenset[str]:
    """After which ends of a step another runs: all of its entries hold, and inside a condition its success."""
    asked = [AFTER[dependency.trigger] for dependency in step.depends_on if dependency.step == source.name]
    if step.branch is not None and step.branch.condition == source.name:
        asked.append(AFTER["Completed"])
    return frozenset.intersection(*asked)


def _check_property_file(step: StepDefinition, file: PropertyFile) -> None:
    outputs = [output.get("OutputName") for output in executor_of(step).property_outputs(step)]
    if file.output not in outputs:
        reason = f"Property file '{file.name}' lies in output '{file.output}', which the step does not have."
        raise DefinitionError(reason, step=step.name, field="PropertyFiles")


def _check_strings(value: Any, step: str, field: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_strings(item, step, f"{field}.{key}" if field else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_strings(item, step, f"{field}[{number}]")
    elif isinstance(value, str) and _FROZEN.search(value):
        reason = f"A pipeline variable was frozen into the text '{value[:80]}': pass the variable itself, or use Join."
        raise DefinitionError(reason, step=step, field=field)


def _check_expression(expression: dict[str, Any], definition: Definition, place: Place) -> None:
    ((function, operand),) = expression.items()
    try:
        if function == GET:
            _check_reference(parse_reference(operand), definition, place)
        elif function == JOIN:
            _check_members(operand, _JOIN_MEMBERS, {"Values"})
            if not isinstance(operand["Values"], list) and not is_expression(operand["Values"]):
                raise PathError("Values of Std:Join must be a list")
        elif function == JSON_GET:
            _check_json_get(operand)
        else:
            raise PathError(f"unknown function '{function}'; known are {GET}, {JOIN} and {JSON_GET}")
    except PathError as error:
        where = f"{place.field}.{function}"
        step = place.step.name if place.step else None
        raise DefinitionError(f"Invalid expression: {error}.", step=step, field=where) from None


def _check_json_get(operand: Any) -> None:
    _check_members(operand, _JSON_GET_MEMBERS, {"Path"})
    if ("PropertyFile" in operand) == ("S3Uri" in operand):
        raise PathError(f"{JSON_GET} needs either PropertyFile or S3Uri")
    if isinstance(operand["Path"], str):
        parse_path(operand["Path"].removeprefix("$").removeprefix("."))
    if "PropertyFile" in operand and not _is_property_file(operand["PropertyFile"]):
        raise PathError(f"PropertyFile of {JSON_GET} must be a {GET} of Steps.<step>.PropertyFiles.<name>")


def _is_property_file(value: Any) -> bool:
    text = value.get(GET) if is_expression(value) else None
    reference = parse_reference(text) if text is not None else None
    return reference is not None and reference.root == "Steps" and reference.path[:1] == (Member("PropertyFiles"),)


def _check_members(operand: Any, known: set[str], required: set[str]) -> None:
    if not isinstance(operand, dict):
        raise PathError("expecting start of Json Object")
    for member in required - set(operand):
        raise PathError(f"'{member}' is missing")
    for member in set(operand) - known:
        raise PathError(f"unknown property '{member}'")


def _check_reference(reference: Reference, definition: Definition, place: Place) -> None:
    match reference.root:
        case "Parameters":
            _one_of(reference, tuple(definition.parameters), "parameter")
        case "Execution":
            _one_of(reference, EXECUTION_VARIABLES, "execution variable")
        case "PipelineExperimentConfig":
            _one_of(reference, EXPERIMENT_VARIABLES, "member of PipelineExperimentConfig")
        case "ForEach":
            _check_item(reference, place)
        case "IterationOutput":
            _check_iteration_output(reference, definition, place)
        case "Steps":
            _check_step_reference(reference, definition, place)


def _check_item(reference: Reference, place: Place) -> None:
    if not place.body:
        raise PathError(f"'{reference.text}' has a value only in the steps of a ForEachBody")
    if reference.name != "CurrentItem":
        raise PathError(f"there is no '{reference.name}' of ForEach; known is CurrentItem")


def _check_iteration_output(reference: Reference, definition: Definition, place: Place) -> None:
    body = definition.bodies.get(place.step.name, {}) if place.step else {}
    if reference.name not in body or place.field != "Arguments.Selector.Field":
        raise PathError(f"'{reference.text}' has a value only as Field of the selector of a ForEach step around it")
    _check_property(reference, body[reference.name])


def _one_of(reference: Reference, known: tuple[str, ...], what: str) -> None:
    if reference.name not in known:
        raise PathError(f"there is no {what} '{reference.name}'; known are {', '.join(known) or 'none'}")
    if reference.path:
        raise PathError(f"'{reference.text}' goes on after the {what} '{reference.name}'")


def _check_step_reference(reference: Reference, definition: Definition, place: Place) -> None:
    source = place.body.get(reference.name) or definition.steps.get(reference.name)
    if source is None:
        inner = definition.step(reference.name)
        hint = f": it runs for each item of a ForEach step, see {_inside(definition, reference.name)}" if inner else ""
        raise PathError(f"unknown step '{reference.name}'{hint}")
    if reference.path[:1] != (Member("PropertyFiles"),):
        _check_property(*_unfolded(reference, source, definition))
    elif not place.field.endswith(f"{JSON_GET}.PropertyFile"):
        raise PathError(f"a property file is read with {JSON_GET}, not with {GET} alone")
    elif len(reference.path) != 2 or getattr(reference.path[1], "name", None) not in source.property_files:
        known = ", ".join(source.property_files) or "none"
        raise PathError(f"'{reference.text}' is no property file of step '{source.name}'; it has {known}")


def _inside(definition: Definition, name: str) -> str:
    parent = next(parent for parent, body in definition.bodies.items() if name in body)
    return f"Steps.{parent}.IterationOutputs[<index>].{name}"


def _check_property(reference: Reference, source: StepDefinition) -> None:
    try:
        executor_of(source).check_reference(reference)
    except PathError as error:
        raise PathError(f"'{reference.text}' leads to nothing: {error}") from None


def _unfolded(reference: Reference, source: StepDefinition, definition: Definition) -> tuple[Reference, StepDefinition]:
    """What a reference into the outputs of a ForEach step means in the step of the body that made them."""
    body = definition.bodies.get(source.name, {})
    match reference.path:
        case (Member("IterationOutputs"), Index(_), Member(name) | Key(name), _, *_) if name in body:
            inner, rest = body[name], reference.path[3:]
        case (Member("Selected"), _, *_) if "Selector" in source.arguments:
            selected = parse_reference(source.arguments["Selector"]["Field"][GET])
            inner, rest = body[selected.name], reference.path[1:]
        case _:
            return reference, source
    return Reference(reference.text, "Steps", inner.name, rest), inner
