"""PL4xx: the graph, its branches and conditions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipelines import definition as definitions
from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, parameter_of

STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
NOT_IN_LOOPS = ("Condition", "Fail", "ForEach")
FAIL_MESSAGE_LIMIT = 3072
KINDS: dict[type, str] = {bool: "Boolean", str: "String", int: "number", float: "number"}


@check("PL401", "step name given twice")
def repeated_step(subject: Subject) -> Iterator[Problem]:
    """Names are unique in a pipeline, also over branches."""
    for name, count in Counter(body["Name"] for body in subject.bodies).items():
        if count > 1:
            yield Problem(f"{count} steps are named {name}", "give each another name", name, "Name")


@check("PL402", "cycle")
def cycle(subject: Subject) -> Iterator[Problem]:
    """Each of these steps waits for the other: none can begin."""
    after = {step.name: step.after for step in definitions.steps(subject.definition)}
    reported: set[frozenset[str]] = set()
    for name in after:
        ring = _ring(name, after)
        if ring and frozenset(ring) not in reported:
            reported.add(frozenset(ring))
            yield Problem(f"{' -> '.join([*ring, name])}", "remove one of these dependencies", name, "DependsOn")


@check("PL403", "rejoin after a condition", "warning")
def rejoin(subject: Subject) -> Iterator[Problem]:
    """A step outside of a condition that waits for a step in one of its branches runs only if that branch is taken.
    Put what follows into both branches, or make the branch's steps unconditional and decide in the script."""
    placed = {step.name: step for step in definitions.steps(subject.definition)}
    for step in placed.values():
        for name in step.after:
            branch = placed[name].branch if name in placed else None
            if branch and branch not in _branches(step, placed) and step.name != branch[0]:
                message = f"it waits for {name}, which runs only on the {branch[1]} side of {branch[0]}"
                yield Problem(message, "put it into that branch, or a copy into each", step.name, "DependsOn")


@check("PL404", "condition that decides nothing", "warning")
def empty_condition(subject: Subject) -> Iterator[Problem]:
    """Both branches are empty."""
    for step, arguments in subject.of_type("Condition"):
        if not arguments.get("IfSteps") and not arguments.get("ElseSteps"):
            yield Problem("both branches are empty", "give it if_steps or else_steps", step, "Arguments.IfSteps")


@check("PL405", "condition that compares unlike types")
def unlike_types(subject: Subject) -> Iterator[Problem]:
    """The execution fails when it comes to the condition: a text is never compared with a number."""
    for step, arguments in subject.of_type("Condition"):
        for condition in _flat(arguments.get("Conditions") or []):
            left = _kind(subject, condition.get("LeftValue", condition.get("QueryValue")))
            for value in condition.get("Values") or [condition.get("RightValue")]:
                right = _kind(subject, value)
                if left and right and left != right:
                    message = f"{definitions.condition(condition)} compares {left} with {right}"
                    yield Problem(message, "make both of the same type", step, "Arguments.Conditions")


@check("PL406", "name of a step")
def step_name(subject: Subject) -> Iterator[Problem]:
    """1 to 64 letters, digits, hyphens and underscores (API shape StepName)."""
    for body in subject.bodies:
        if not STEP_NAME.fullmatch(str(body["Name"])):
            yield Problem(
                f"{body['Name']!r} cannot be a step's name", "1 to 64 letters, digits, - and _", body["Name"], "Name"
            )


@check("PL407", "step that cannot be in a loop")
def step_in_loop(subject: Subject) -> Iterator[Problem]:
    """The body of a ForEach step has no Condition, Fail or ForEach steps."""
    for step, arguments in subject.of_type("ForEach"):
        for body in arguments.get("ForEachBody") or ():
            if body["Type"] in NOT_IN_LOOPS:
                message = f"a {body['Type']} step is in the body of {step}"
                yield Problem(message, "move it behind the loop", body["Name"], "Arguments.ForEachBody")


@check("PL408", "message of a Fail step too long")
def long_message(subject: Subject) -> Iterator[Problem]:
    """3,072 characters are the limit."""
    for step, arguments in subject.of_type("Fail"):
        message = arguments.get("ErrorMessage")
        if isinstance(message, str) and len(message) > FAIL_MESSAGE_LIMIT:
            problem = f"{len(message)} characters, and {FAIL_MESSAGE_LIMIT} are the limit"
            yield Problem(problem, "shorten it", step, "Arguments.ErrorMessage")


@check("PL409", "condition between two constants", "warning")
def constant_condition(subject: Subject) -> Iterator[Problem]:
    """Neither side can change, so one branch never runs: a value was probably computed at build time."""
    for step, arguments in subject.of_type("Condition"):
        for condition in _flat(arguments.get("Conditions") or []):
            sides = [condition.get("LeftValue", condition.get("QueryValue"))]
            sides += condition.get("Values") or [condition.get("RightValue")]
            if not any(isinstance(side, dict) for side in sides):
                message = f"{definitions.condition(condition)} has the same outcome in every execution"
                yield Problem(message, "compare a parameter, property or JsonGet", step, "Arguments.Conditions")


def _ring(start: str, after: dict[str, tuple[str, ...]]) -> list[str]:
    """Names from ``start`` along dependencies back to it; empty if it does not wait for itself."""
    trails = [[start]]
    seen: set[str] = set()
    while trails:
        trail = trails.pop()
        for name in after.get(trail[-1], ()):
            if name == start:
                return trail
            if name not in seen:
                seen.add(name)
                trails.append([*trail, name])
    return []


def _branches(step: definitions.Step, placed: dict[str, definitions.Step]) -> set[tuple[str, str]]:
    """The branches that a step is in, innermost to outermost."""
    found: set[tuple[str, str]] = set()
    while step.branch and step.branch not in found:
        found.add(step.branch)
        step = placed[step.branch[0]]
    return found


def _flat(conditions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for condition in conditions:
        if condition["Type"] == "Not":
            yield from _flat([condition["Condition"]])
        elif condition["Type"] == "Or":
            yield from _flat(condition["Conditions"])
        else:
            yield condition


def _kind(subject: Subject, value: Any) -> str | None:
    """Type of an operand as far as it is known before an execution."""
    if name := parameter_of(value):
        kind = subject.types.get(name)
        return "number" if kind in ("Integer", "Float") else kind
    if isinstance(value, dict):
        return "String" if "Std:Join" in value else None
    return KINDS.get(type(value))
