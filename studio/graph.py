"""The graph of a pipeline or an execution: what is drawn, with states from the steps that ran.

Wide fans, siblings of one type with the same neighbours, are folded into one node of small squares; a ForEach step
is drawn so too. ``opened`` names the fans that the reader has unfolded; they become a grid of nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.definition import Definition, Step
from studio.layout import Layout, layout
from studio.nodes import Node
from studio.steps import NOT_RUN, SKIPPED, WAITING, StepState

FAN = 9
"""So many equal siblings are drawn as one node."""


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    label: str = ""
    is_idle: bool = False
    """The branch was not taken."""


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layout: Layout = field(repr=False)

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)


def build_graph(
    definition: Definition,
    states: Mapping[str, StepState] | None = None,
    *,
    ended: bool = False,
    opened: Collection[str] = (),
) -> Graph:
    """The graph of a definition; with ``states``, of an execution of it.

    Raises:
        CycleError: the steps wait for each other in a circle.
    """
    known = dict(states or {})
    steps = [step for step in definition.steps.values() if step.loop is None]
    tops = {step.name for step in steps}
    needs = {step.name: _needs(step, definition, tops) for step in steps}
    resolved = _fill_in(steps, needs, known, states is not None, ended)
    fans = _fans(steps, needs)
    nodes = _nodes(steps, definition, resolved, known, fans, opened)
    edges = _edges(steps, needs, fans, resolved)
    pairs = tuple((edge.source, edge.target) for edge in edges)
    return Graph(nodes, edges, layout(tuple(node.box for node in nodes), pairs))


def _needs(step: Step, definition: Definition, tops: Collection[str]) -> tuple[str, ...]:
    """What a step waits for: the steps it names, what the body of its loop names, and its condition.

    The condition is left out where another step of the same branch comes between.
    """
    inner = [name for body in definition.body(step.name) for name in body.needs]
    needs = [name for name in dict.fromkeys([*step.needs, *inner]) if name in tops and name != step.name]
    if step.branch and not any(definition.steps[name].branch == step.branch for name in needs):
        needs.insert(0, step.branch[0])
    return tuple(dict.fromkeys(needs))


def _fill_in(
    steps: list[Step], needs: Mapping[str, tuple[str, ...]], known: Mapping[str, StepState], runs: bool, ended: bool
) -> dict[str, StepState]:
    """A state for every step: steps that have none yet wait, are on a branch not taken, or were never reached."""
    resolved: dict[str, StepState] = {}
    for step in _by_needs(steps, needs):
        if step.name in known:
            resolved[step.name] = known[step.name]
            continue
        status = ""
        if runs:
            parents = [resolved[name] for name in needs[step.name] if name in resolved]
            skipped = _is_skipped(step, known) or any(parent.status == SKIPPED for parent in parents)
            status = SKIPPED if skipped else NOT_RUN if ended else WAITING
        resolved[step.name] = StepState(step.name, status, type=step.type)
    return resolved


def _by_needs(steps: list[Step], needs: Mapping[str, tuple[str, ...]]) -> list[Step]:
    """The steps, each after those it needs, so far as that goes."""
    by_name = {step.name: step for step in steps}
    order: dict[str, Step] = {}
    for step in steps:
        stack = [step.name]
        while stack:
            missing = [name for name in needs[stack[-1]] if name not in order and name not in stack]
            if missing:
                stack.append(missing[0])
            else:
                name = stack.pop()
                order[name] = by_name[name]
    return list(order.values())


def _is_skipped(step: Step, known: Mapping[str, StepState]) -> bool:
    if step.branch is None or step.branch[0] not in known:
        return False
    outcome = known[step.branch[0]].outcome
    return bool(outcome) and outcome != step.branch[1]


def _fans(steps: list[Step], needs: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The fan of every step that is in one."""
    followers: dict[str, list[str]] = {step.name: [] for step in steps}
    for name, before in needs.items():
        for other in before:
            followers[other].append(name)
    alike: dict[Any, list[str]] = {}
    for step in steps:
        if step.type not in ("Condition", "ForEach"):
            key = (step.type, step.branch, frozenset(needs[step.name]), frozenset(followers[step.name]))
            alike.setdefault(key, []).append(step.name)
    return {name: f"fan:{names[0]}" for names in alike.values() if len(names) >= FAN for name in names}


def _nodes(
    steps: list[Step],
    definition: Definition,
    resolved: Mapping[str, StepState],
    known: Mapping[str, StepState],
    fans: Mapping[str, str],
    opened: Collection[str],
) -> tuple[Node, ...]:
    nodes: dict[str, Node] = {}
    for step in steps:
        fan = fans.get(step.name)
        if fan is None:
            is_loop = step.type == "ForEach"
            members = _children(step, definition, known) if is_loop else ()
            is_open = is_loop and step.name in opened and bool(members)
            expected = _expected(step, definition) if is_loop else None
            state = resolved[step.name]
            nodes[step.name] = Node(step.name, step.title, step.type, state, members, False, is_open, expected)
        elif fan not in nodes:
            members = tuple(resolved[name] for name, other in fans.items() if other == fan)
            title = f"{len(members)} steps"
            state, is_open = together(fan, members), fan in opened
            nodes[fan] = Node(fan, title, step.type, state, members, True, is_open, len(members))
    return tuple(nodes.values())


def _expected(step: Step, definition: Definition) -> int | None:
    """How many steps a ForEach step will run, where its items stand in the definition."""
    items = step.arguments.get("IterableItems")
    return len(items) * len(definition.body(step.name)) if isinstance(items, list) else None


def _children(step: Step, definition: Definition, known: Mapping[str, StepState]) -> tuple[StepState, ...]:
    """The steps that ran for the items of a ForEach step, or its body while none has."""
    ran = tuple(sorted((s for s in known.values() if s.parent == step.name), key=lambda s: (s.index, s.name)))
    return ran or tuple(StepState(body.name, "", type=body.type) for body in definition.body(step.name))


def together(name: str, members: tuple[StepState, ...]) -> StepState:
    """The state of a fan: the first of these that any of its steps is in."""
    statuses = {member.status for member in members}
    for status in ("Failed", "Executing", "Starting", "Stopping", "Stopped"):
        if status in statuses:
            return StepState(name, status)
    if len(statuses) == 1:
        return StepState(name, statuses.pop())
    return StepState(name, "Executing" if WAITING in statuses else "Succeeded")


def _above(steps: list[Step], needs: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """All that a step waits for, directly or not."""
    above: dict[str, frozenset[str]] = {}
    for step in _by_needs(steps, needs):
        direct = [name for name in needs[step.name] if name in above]
        above[step.name] = frozenset(direct).union(*(above[name] for name in direct))
    return above


def _edges(
    steps: list[Step],
    needs: Mapping[str, tuple[str, ...]],
    fans: Mapping[str, str],
    resolved: Mapping[str, StepState],
) -> tuple[Edge, ...]:
    edges: dict[tuple[str, str], Edge] = {}
    above = _above(steps, needs)
    for step in steps:
        for name in needs[step.name]:
            if any(name in above[other] for other in needs[step.name]):
                continue  # another way leads there; the step's panel names everything that it needs
            pair = fans.get(name, name), fans.get(step.name, step.name)
            label = step.branch[1] if step.branch and step.branch[0] == name else ""
            edges.setdefault(pair, Edge(*pair, label, resolved[step.name].status == SKIPPED))
    return tuple(edges.values())
