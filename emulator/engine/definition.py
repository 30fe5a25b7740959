"""The definition of a pipeline, JSON of version ``2020-12-01``, read into typed steps.

Explicit nulls mean "absent": the SDKs write them. Nothing here looks a name up; ``checks`` does. AWS's published JSON
schema is not used: it rejects what the SDKs emit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

from emulator.aws.documents import TooDeep, read_json
from emulator.engine.caching import CachePolicy, read_cache_policy
from emulator.engine.errors import DefinitionError
from emulator.engine.parameters import Parameter, parse_parameters
from emulator.engine.retries import RetryPolicy, read_retry_policies

VERSION = "2020-12-01"
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 250
MAX_DISPLAY_NAME = 256
MAX_DESCRIPTION = 3072

_MEMBERS = ("Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps")
_ENVELOPE = (
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "RetryPolicies",
    "CacheConfig",
    "PropertyFiles",
)
_STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
TRIGGERS = ("Completed", "Failed", "Stopped", "Any")


@dataclass(frozen=True, slots=True)
class Dependency:
    """An entry of ``DependsOn``: after ``step``, if it ended as ``trigger`` says."""

    step: str
    trigger: str = "Completed"


@dataclass(frozen=True, slots=True)
class PropertyFile:
    name: str
    output: str
    path: str


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a step inside a Condition stands: it runs only if ``condition`` comes out as ``outcome``."""

    condition: str
    outcome: bool


@dataclass(frozen=True, slots=True)
class Iteration:
    """Of a child step: the ForEach step, the step of its body, and the item. ``siblings`` has children by body step."""

    parent: str
    body: str
    index: int
    item: Any
    siblings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step. ``arguments`` holds the expressions as they were written; ``extra`` the members of its type alone."""

    name: str
    type: str
    arguments: dict[str, Any]
    depends_on: tuple[Dependency, ...] = ()
    property_files: dict[str, PropertyFile] = field(default_factory=dict)
    display_name: str | None = None
    description: str | None = None
    branch: Branch | None = None
    cache: CachePolicy | None = None
    retries: tuple[RetryPolicy, ...] = ()
    iteration: Iteration | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definition:
    """A pipeline: every step by name, those inside conditions too, each after the condition that holds it.

    ``bodies`` has by ForEach step the steps that run for each of its items; they are not among ``steps``.
    """

    parameters: dict[str, Parameter]
    steps: dict[str, StepDefinition]
    experiment: dict[str, Any]
    bodies: dict[str, dict[str, StepDefinition]] = field(default_factory=dict)
    mlflow: dict[str, Any] = field(default_factory=dict)

    def every_step(self) -> Iterator[StepDefinition]:
        """The steps, and those of bodies."""
        return chain(self.steps.values(), *(body.values() for body in self.bodies.values()))

    def step(self, name: str) -> StepDefinition | None:
        """The step of that name, in a body too."""
        if name in self.steps:
            return self.steps[name]
        return next((body[name] for body in self.bodies.values() if name in body), None)


@lru_cache(maxsize=32)
def read_definition(text: str) -> Definition:
    """Read a definition from its JSON text; the result is shared and must not be changed.

    Raises:
        DefinitionError: it is not JSON, or does not have the form of a definition.
    """
    document = _without_nulls(_load(text))
    _only(document, _MEMBERS, None, "")
    if document.get("Version", VERSION) != VERSION:
        raise DefinitionError(f"Unknown version '{document['Version']}'. Known is {VERSION}.", field="Version")
    steps = _by_name(_read_steps(_list(document.get("Steps"), None, "Steps"), None, "Steps"))
    if not steps:
        raise DefinitionError("A pipeline must have at least one step.", field="Steps")
    bodies = {name: _read_body(step) for name, step in steps.items() if step.type == "ForEach"}
    _by_name(chain(steps.values(), *(body.values() for body in bodies.values())))
    _object(document.get("Metadata", {}), None, "Metadata")
    experiment = _object(document.get("PipelineExperimentConfig", {}), None, "PipelineExperimentConfig")
    _only(experiment, ("ExperimentName", "TrialName"), None, "PipelineExperimentConfig")
    mlflow = _object(document.get("MlflowConfig", {}), None, "MlflowConfig")
    _only(mlflow, ("MlflowResourceArn", "MlflowExperimentName"), None, "MlflowConfig")
    return Definition(parse_parameters(document.get("Parameters", [])), steps, experiment, bodies, mlflow)


def _by_name(items: Iterable[StepDefinition]) -> dict[str, StepDefinition]:
    steps: dict[str, StepDefinition] = {}
    for step in items:
        if step.name in steps:
            raise DefinitionError(
                f"Step names must be unique. Duplicate name '{step.name}'.", step=step.name, field="Name"
            )
        steps[step.name] = step
    return steps


def _read_body(step: StepDefinition) -> dict[str, StepDefinition]:
    items = _list(step.arguments.get("ForEachBody", []), step.name, "Arguments.ForEachBody")
    return _by_name(_read_steps(items, None, f"{step.name}.ForEachBody"))


def _load(text: str) -> dict[str, Any]:
    if len(text.encode()) > MAX_BYTES:
        raise DefinitionError(f"The definition is longer than {MAX_BYTES} bytes.")
    try:
        document = read_json(text)
    except TooDeep:
        raise DefinitionError(f"It is nested more than {MAX_DEPTH} levels deep.") from None
    except ValueError as error:
        raise DefinitionError(f"It is not valid JSON: {error}.") from None
    if _deeper_than(document, MAX_DEPTH):
        raise DefinitionError(f"It is nested more than {MAX_DEPTH} levels deep.")
    return _object(document, None, "")


def _deeper_than(document: Any, limit: int) -> bool:
    level = [document]
    for _ in range(limit):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _read_steps(items: list[Any], branch: Branch | None, place: str) -> Iterator[StepDefinition]:
    for number, item in enumerate(items):
        document = _object(item, None, f"{place}[{number}]")
        name = document.get("Name")
        if not isinstance(name, str) or not _STEP_NAME.fullmatch(name):
            raise DefinitionError(
                f"Invalid step name '{name}'. It must match {_STEP_NAME.pattern}.", field=f"{place}[{number}].Name"
            )
        yield from _read_step(name, document, branch)


def _read_step(name: str, document: dict[str, Any], branch: Branch | None) -> Iterator[StepDefinition]:
    kind = document.get("Type")
    if not isinstance(kind, str):
        raise DefinitionError("Step has no type.", step=name, field="Type")
    arguments = _object(document.get("Arguments", {}), name, "Arguments")
    step = StepDefinition(
        name=name,
        type=kind,
        arguments=arguments,
        depends_on=_read_dependencies(document.get("DependsOn", []), name),
        property_files=_read_property_files(document.get("PropertyFiles", []), name),
        display_name=_text(document.get("DisplayName"), name, "DisplayName", MAX_DISPLAY_NAME),
        description=_text(document.get("Description"), name, "Description", MAX_DESCRIPTION),
        branch=branch,
        cache=read_cache_policy(_object(document.get("CacheConfig", {}), name, "CacheConfig"), name),
        retries=read_retry_policies(_list(document.get("RetryPolicies", []), name, "RetryPolicies"), name),
        extra={member: value for member, value in document.items() if member not in _ENVELOPE},
    )
    yield step
    if kind == "Condition":
        for member, outcome in (("IfSteps", True), ("ElseSteps", False)):
            inner = _list(arguments.get(member, []), name, f"Arguments.{member}")
            yield from _read_steps(inner, Branch(name, outcome), f"{name}.{member}")


def _read_dependencies(value: Any, step: str) -> tuple[Dependency, ...]:
    return tuple(
        _read_dependency(item, step, f"DependsOn[{number}]")
        for number, item in enumerate(_list(value, step, "DependsOn"))
    )


def _read_dependency(item: Any, step: str, place: str) -> Dependency:
    if isinstance(item, str):
        return Dependency(item)
    document = _object(item, step, place)
    _only(document, ("Step", "Trigger"), step, place)
    name, trigger = document.get("Step"), document.get("Trigger", "Completed")
    if not isinstance(name, str):
        raise DefinitionError("A dependency names no step.", step=step, field=place)
    if trigger not in TRIGGERS:
        raise DefinitionError(f"Unknown trigger '{trigger}'. Known are {', '.join(TRIGGERS)}.", step=step, field=place)
    return Dependency(name, trigger)


def _read_property_files(value: Any, step: str) -> dict[str, PropertyFile]:
    files: dict[str, PropertyFile] = {}
    members = ("PropertyFileName", "OutputName", "FilePath")
    for number, item in enumerate(_list(value, step, "PropertyFiles")):
        place = f"PropertyFiles[{number}]"
        document = _object(item, step, place)
        _only(document, members, step, place)
        for member in members:
            if not isinstance(document.get(member), str):
                raise DefinitionError(f"A property file is missing '{member}'.", step=step, field=place)
        file = PropertyFile(*(document[member] for member in members))
        if file.name in files:
            raise DefinitionError(f"Duplicate property file '{file.name}'.", step=step, field=place)
        files[file.name] = file
    return files


def _object(value: Any, step: str | None, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DefinitionError("Expecting start of Json Object.", step=step, field=place)
    return value


def _list(value: Any, step: str | None, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise DefinitionError("Expecting start of Json Array.", step=step, field=place)
    return value


def _text(value: Any, step: str, place: str, most: int) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DefinitionError("Expecting a string.", step=step, field=place)
    if value is not None and len(value) > most:
        raise DefinitionError(f"It has {len(value)} characters; the limit is {most}.", step=step, field=place)
    return value


def _only(document: dict[str, Any], members: tuple[str, ...], step: str | None, place: str) -> None:
    for member in document:
        if member not in members:
            raise DefinitionError(
                f"Cannot parse object, unknown property '{member}'.", step=step, field=place or member
            )
