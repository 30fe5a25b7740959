"""Reading a pipeline definition (the JSON of version 2020-12-01): its parameters, steps and how they hang together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NESTED = {"IfSteps": "if", "ElseSteps": "else", "ForEachBody": "each"}
"""Arguments that hold steps, with how a reader calls that branch."""
STEP_REFERENCE = re.compile(r"Steps\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a pipeline; ``default`` is None where a value must be given at start."""

    name: str
    type: str
    default: Any = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step. ``after`` are those it waits for; ``branch`` the step and side (if, else, each) that it is in."""

    name: str
    type: str
    body: dict[str, Any] = field(repr=False)
    after: tuple[str, ...] = ()
    branch: tuple[str, str] | None = None


def parameters(definition: dict[str, Any]) -> list[Parameter]:
    """The parameters, in the order of the definition."""
    return [
        Parameter(item["Name"], item["Type"], item.get("DefaultValue"), tuple(item.get("EnumValues") or ()))
        for item in definition.get("Parameters") or ()
    ]


def steps(definition: dict[str, Any]) -> list[Step]:
    """Every step, also those in branches and loops, each after those that it waits for."""
    return _in_order(list(_walk(definition["Steps"], None)))


def bodies(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every step as written, also those in branches and loops, each before those inside it."""
    for body in steps:
        yield body
        for argument in NESTED:
            yield from bodies((body.get("Arguments") or {}).get(argument) or [])


def _walk(bodies: list[dict[str, Any]], branch: tuple[str, str] | None) -> Iterator[Step]:
    for body in bodies:
        yield Step(body["Name"], body["Type"], body, _dependencies(body, branch), branch)
        for argument, side in NESTED.items():
            yield from _walk((body.get("Arguments") or {}).get(argument) or [], (body["Name"], side))


def _dependencies(body: dict[str, Any], branch: tuple[str, str] | None) -> tuple[str, ...]:
    """Names of the steps that a step waits for: its condition, DependsOn, and every step it refers to."""
    own = {key: value for key, value in (body.get("Arguments") or {}).items() if key not in NESTED}
    rest = {key: value for key, value in body.items() if key not in ("Arguments", "DependsOn")}
    names = [branch[0]] if branch else []
    for entry in body.get("DependsOn") or ():
        names.append(entry if isinstance(entry, str) else entry["Step"])
    names += _references(own) + _references(rest)
    return tuple(dict.fromkeys(name for name in names if name != body["Name"]))


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        path = value.get("Get")
        if isinstance(path, str) and len(value) == 1:
            return [match[1]] if (match := STEP_REFERENCE.match(path)) else []
        return [name for item in value.values() for name in _references(item)]
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    return []


def _in_order(unordered: list[Step]) -> list[Step]:
    """Steps after their dependencies, otherwise as written; a cycle's steps keep their order."""
    names = {step.name for step in unordered}
    placed: dict[str, Step] = {}
    waiting = list(unordered)
    while waiting:
        ready = [step for step in waiting if all(name in placed or name not in names for name in step.after)]
        for step in ready or waiting:
            placed[step.name] = step
        waiting = [step for step in waiting if step.name not in placed]
    return list(placed.values())


def expression(value: Any) -> str:
    """A value of the definition as a reader would write it: ``Parameters.MinAuc`` as ``MinAuc`` and so on."""
    if not isinstance(value, dict):
        return str(value)
    if "Get" in value:
        return str(value["Get"]).removeprefix("Parameters.").removeprefix("Steps.")
    if "Std:Join" in value:
        join = value["Std:Join"]
        return str(join.get("On", "")).join(expression(item) for item in join["Values"])
    if "Std:JsonGet" in value:
        read = value["Std:JsonGet"]
        source = expression(read["PropertyFile"] if "PropertyFile" in read else read.get("S3Uri"))
        return f"{source.replace('.PropertyFiles', '')}:{read['Path']}"
    return str(value)


COMPARISONS = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}


def condition(body: dict[str, Any]) -> str:
    """One condition of a Condition step as a reader would write it."""
    kind = body["Type"]
    if kind == "Not":
        return f"not ({condition(body['Condition'])})"
    if kind == "Or":
        return " or ".join(condition(item) for item in body["Conditions"])
    if kind == "In":
        return f"{expression(body['QueryValue'])} in [{', '.join(expression(item) for item in body['Values'])}]"
    return f"{expression(body['LeftValue'])} {COMPARISONS.get(kind, kind)} {expression(body['RightValue'])}"
