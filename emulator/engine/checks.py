"""What a definition must hold beyond its form, checked when a pipeline is created or updated: every name in it exists,
every step can run here, and nothing waits for itself."""

from __future__ import annotations

import re
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
from emulator.engine.paths import Member, PathError, parse_path
from emulator.engine.steps import executor_of

_FROZEN = re.compile(r"\bParameter(String|Integer|Float|Boolean)\(name=|<sagemaker\.[\w.]+ object at 0x")
_JOIN_MEMBERS = {"On", "Values"}
_JSON_GET_MEMBERS = {"PropertyFile", "S3Uri", "Path"}


def check_definition(definition: Definition) -> None:
    """Refuse a definition that could never run as it is written.

    Raises:
        DefinitionError: it names the step, the field and the reason.
    """
    for step in definition.steps.values():
        _check_dependencies(step, definition)
        executor_of(step).check(step, definition)
        for file in step.property_files.values():
            _check_property_file(step, file)
        values = own_values(step)
        _check_strings(values, step.name, "")
        for expression, field in references(values):
            _check_expression(expression, definition, step.name, field)
    for expression, field in references(definition.experiment, "PipelineExperimentConfig"):
        _check_expression(expression, definition, None, field)
    check_acyclic(Graph.of(definition))


def _check_dependencies(step: StepDefinition, definition: Definition) -> None:
    for number, dependency in enumerate(step.depends_on):
        field = f"DependsOn[{number}]"
        source = definition.steps.get(dependency.step)
        if source is None:
            raise DefinitionError(f"Unknown step '{dependency.step}'.", step=step.name, field=field)
        if source.type == "Fail":
            raise DefinitionError(f"{step.name} can not depends on {source.name}.", step=step.name, field=field)
        if dependency.trigger != "Completed":
            reason = f"Trigger '{dependency.trigger}' exists on AWS but the emulator does not have it yet."
            raise DefinitionError(reason, step=step.name, field=f"{field}.Trigger")


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


def _check_expression(expression: dict[str, Any], definition: Definition, step: str | None, field: str) -> None:
    ((function, operand),) = expression.items()
    try:
        if function == GET:
            _check_reference(parse_reference(operand), definition, field)
        elif function == JOIN:
            _check_members(operand, _JOIN_MEMBERS, {"Values"})
            if not isinstance(operand["Values"], list) and not is_expression(operand["Values"]):
                raise PathError("Values of Std:Join must be a list")
        elif function == JSON_GET:
            _check_json_get(operand)
        else:
            raise PathError(f"unknown function '{function}'; known are {GET}, {JOIN} and {JSON_GET}")
    except PathError as error:
        where = f"{field}.{function}"
        raise DefinitionError(f"Invalid expression: {error}.", step=step, field=where) from None


def _check_json_get(operand: Any) -> None:
    _check_members(operand, _JSON_GET_MEMBERS, {"Path"})
    if ("PropertyFile" in operand) == ("S3Uri" in operand):
        raise PathError(f"{JSON_GET} needs either PropertyFile or S3Uri")
    if isinstance(operand["Path"], str):
        parse_path(operand["Path"].removeprefix("$").removeprefix("."))
    file = operand.get("PropertyFile")
    if file is not None and not is_expression(file):
        raise PathError(f"PropertyFile of {JSON_GET} must be a {GET} of Steps.<step>.PropertyFiles.<name>")


def _check_members(operand: Any, known: set[str], required: set[str]) -> None:
    if not isinstance(operand, dict):
        raise PathError("expecting start of Json Object")
    for member in required - set(operand):
        raise PathError(f"'{member}' is missing")
    for member in set(operand) - known:
        raise PathError(f"unknown property '{member}'")


def _check_reference(reference: Reference, definition: Definition, field: str) -> None:
    match reference.root:
        case "Parameters":
            _one_of(reference, tuple(definition.parameters), "parameter")
        case "Execution":
            _one_of(reference, EXECUTION_VARIABLES, "execution variable")
        case "PipelineExperimentConfig":
            _one_of(reference, EXPERIMENT_VARIABLES, "member of PipelineExperimentConfig")
        case "Steps":
            _check_step_reference(reference, definition, field)


def _one_of(reference: Reference, known: tuple[str, ...], what: str) -> None:
    if reference.name not in known:
        raise PathError(f"there is no {what} '{reference.name}'; known are {', '.join(known) or 'none'}")
    if reference.path:
        raise PathError(f"'{reference.text}' goes on after the {what} '{reference.name}'")


def _check_step_reference(reference: Reference, definition: Definition, field: str) -> None:
    source = definition.steps.get(reference.name)
    if source is None:
        raise PathError(f"unknown step '{reference.name}'")
    if reference.path[:1] != (Member("PropertyFiles"),):
        try:
            executor_of(source).check_reference(reference)
        except PathError as error:
            raise PathError(f"'{reference.text}' leads to nothing: {error}") from None
    elif not field.endswith(f"{JSON_GET}.PropertyFile"):
        raise PathError(f"a property file is read with {JSON_GET}, not with {GET} alone")
    elif len(reference.path) != 2 or getattr(reference.path[1], "name", None) not in source.property_files:
        known = ", ".join(source.property_files) or "none"
        raise PathError(f"'{reference.text}' is no property file of step '{source.name}'; it has {known}")
