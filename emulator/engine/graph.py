"""Which step waits for which: ``DependsOn``, references in the arguments, and the enclosing condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import GET, parse_reference, references


@dataclass(frozen=True, slots=True)
class Graph:
    """``needs``: the steps each step waits for; ``dependents``: the other way round, in the order of definition."""

    needs: Mapping[str, frozenset[str]]
    dependents: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, definition: Definition) -> Graph:
        needs = {step.name: frozenset(_needs(step, definition)) for step in definition.steps.values()}
        return cls.between(needs)

    @classmethod
    def of_body(cls, body: Mapping[str, StepDefinition]) -> Graph:
        """The steps of a ForEachBody among each other; what they need from outside, the ForEach step waits for."""
        needs = {step.name: frozenset(name for name in _sources(step) if name in body) for step in body.values()}
        return cls.between(needs)

    @classmethod
    def between(cls, needs: Mapping[str, frozenset[str]]) -> Graph:
        dependents: dict[str, list[str]] = {name: [] for name in needs}
        for name, sources in needs.items():
            for source in sources:
                dependents[source].append(name)
        return cls(needs, {name: tuple(names) for name, names in dependents.items()})

    def sources_of(self, steps: frozenset[str]) -> frozenset[str]:
        """What these steps wait for that is not among them."""
        return frozenset().union(*(self.needs[name] for name in steps)) - steps

    def restricted(self, steps: frozenset[str]) -> Graph:
        """Only these steps and those that they wait for; the latter wait for nothing."""
        sources = dict.fromkeys(self.sources_of(steps), frozenset[str]())
        return Graph.between(sources | {name: self.needs[name] for name in steps})


_INNER_STEPS = {"Condition": ("IfSteps", "ElseSteps"), "ForEach": ("ForEachBody",)}


def own_arguments(step: StepDefinition) -> dict[str, Any]:
    """The arguments a step resolves itself: not the steps inside a condition or a ForEach step."""
    inner = _INNER_STEPS.get(step.type)
    return {key: value for key, value in step.arguments.items() if key not in inner} if inner else step.arguments


def own_values(step: StepDefinition) -> dict[str, Any]:
    """Everything of a step that may hold expressions, by field."""
    return {"Arguments": own_arguments(step), **step.extra}


def _needs(step: StepDefinition, definition: Definition) -> Iterator[str]:
    if step.branch is not None:
        yield step.branch.condition
    yield from _sources(step)
    body = definition.bodies.get(step.name, {})
    for inner in body.values():
        yield from (name for name in _sources(inner) if name not in body)


def _sources(step: StepDefinition) -> Iterator[str]:
    """The steps that a step names: in ``DependsOn`` and in its expressions."""
    yield from (dependency.step for dependency in step.depends_on)
    if step.type == "Cleanup":
        yield from (str(source["StepName"]) for source in cleanup_sources(step.arguments))
    for expression, _ in references(own_values(step)):
        text = expression.get(GET)
        if text is not None and text.startswith("Steps."):
            yield parse_reference(text).name


def cleanup_sources(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Whose outputs a Cleanup step deletes: it runs after them."""
    sources: list[dict[str, Any]] = arguments["Resources"]["S3"]
    return sources


def check_acyclic(graph: Graph) -> None:
    """Refuse a graph whose steps wait for each other.

    Raises:
        DefinitionError: it names the steps of one cycle, in order.
    """
    left = {name: len(sources) for name, sources in graph.needs.items()}
    ready = [name for name, count in left.items() if count == 0]
    while ready:
        for dependent in graph.dependents[ready.pop()]:
            left[dependent] -= 1
            if left[dependent] == 0:
                ready.append(dependent)
    stuck = {name for name, count in left.items() if count}
    if stuck:
        cycle = _cycle(graph, stuck)
        raise DefinitionError(f"Steps depend on each other in a cycle: {' -> '.join(cycle)}.", step=cycle[0])


def _cycle(graph: Graph, stuck: set[str]) -> list[str]:
    name = min(stuck)
    trail: list[str] = []
    while name not in trail:
        trail.append(name)
        name = min(source for source in graph.needs[name] if source in stuck)
    return [*trail[trail.index(name) :], name]
