"""A pipeline definition as the view reads it: parameters, and steps with their needs and their branch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.expressions import references, step_of


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    default: Any = None
    has_default: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def default_text(self) -> str:
        return as_text(self.default) if self.has_default else ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the definition. ``branch`` is (condition, "True" or "False") or None; ``loop`` its ForEach step."""

    name: str
    type: str
    document: Mapping[str, Any]
    needs: tuple[str, ...]
    branch: tuple[str, str] | None = None
    loop: str | None = None

    @property
    def title(self) -> str:
        return str(self.document.get("DisplayName") or self.name)

    @property
    def arguments(self) -> Mapping[str, Any]:
        found = self.document.get("Arguments")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Definition:
    parameters: tuple[Parameter, ...]
    steps: dict[str, Step]
    text: str = field(repr=False)

    def body(self, loop: str) -> list[Step]:
        return [step for step in self.steps.values() if step.loop == loop]


NO_DEFINITION = Definition((), {}, "{}")


def read_definition(text: str) -> Definition:
    """Read definition JSON leniently: the service has checked it.

    Raises:
        ValueError: it is not a JSON object.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("The pipeline definition is not a JSON object.")
    steps: dict[str, Step] = {}
    _read_steps(document.get("Steps") or [], steps, None, None)
    known = {name: _only_known(step, steps) for name, step in steps.items()}
    parameters = tuple(_parameter(item) for item in document.get("Parameters") or [])
    return Definition(parameters, known, text)


def as_text(value: Any) -> str:
    """A parameter's value as StartPipelineExecution takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(item: Mapping[str, Any]) -> Parameter:
    default = item.get("DefaultValue")
    return Parameter(
        item["Name"],
        item.get("Type", "String"),
        default,
        default is not None,
        tuple(item.get("EnumValues") or ()),
    )


def _read_steps(
    items: list[Mapping[str, Any]], into: dict[str, Step], branch: tuple[str, str] | None, loop: str | None
) -> None:
    for item in items:
        name, kind = str(item["Name"]), str(item.get("Type") or "")
        arguments = item.get("Arguments") if isinstance(item.get("Arguments"), dict) else {}
        own = {key: value for key, value in item.items() if key != "Arguments"} | {
            "Arguments": {key: value for key, value in (arguments or {}).items() if key not in _INNER}
        }
        into[name] = Step(name, kind, item, tuple(_needs(own)), branch, loop)
        for member, outcome in _BRANCHES.items():
            _read_steps((arguments or {}).get(member) or [], into, (name, outcome), loop)
        _read_steps((arguments or {}).get("ForEachBody") or [], into, None, name)


_BRANCHES = {"IfSteps": "True", "ElseSteps": "False"}
_INNER = (*_BRANCHES, "ForEachBody")


def _needs(item: Mapping[str, Any]) -> dict[str, None]:
    """The steps that a step names, in order: after DependsOn, whatever it reads from."""
    needs: dict[str, None] = {}
    for entry in item.get("DependsOn") or []:
        needs[str(entry.get("Step") if isinstance(entry, Mapping) else entry)] = None
    for path in references(item):
        if step := step_of(path):
            needs[step] = None
    return needs


def _only_known(step: Step, steps: Mapping[str, Step]) -> Step:
    needs = tuple(name for name in step.needs if name in steps and name != step.name)
    return Step(step.name, step.type, step.document, needs, step.branch, step.loop)
