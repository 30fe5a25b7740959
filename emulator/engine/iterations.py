"""The child steps of a ForEach step that runs: which may begin next, and when all of them are through.

A child is the step of the body under the name ``<body step>-<index>``, run for one item. Children begin in the order
of the items, at most ``MaxConcurrency`` at a time. After one has failed or was stopped no other begins, as with steps
of a pipeline.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from emulator.engine.definition import Iteration, StepDefinition
from emulator.engine.graph import Graph
from emulator.engine.transitions import FAILED, STOPPED, STOPPING, SUCCEEDED

if TYPE_CHECKING:
    from emulator.engine.steps.executor import StepRun

ITEMS = "Items"
LIMIT = "MaxConcurrency"


def child_name(body: str, index: int) -> str:
    """``Train-3``: the name of a body's step in the iteration of an item."""
    return f"{body}-{index}"


class Loop:
    """``run`` is the ForEach step's own: its arguments hold the items."""

    def __init__(self, run: StepRun, body: Mapping[str, StepDefinition]) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        """How many children ended in which state."""
        self.failure = ""
        """The name of the first child that failed, and why."""
        self._items = run.arguments[ITEMS]
        self._limit: int = run.arguments[LIMIT]
        self._body = body
        self._graph = Graph.of_body(body)
        self._positions = {name: position for position, name in enumerate(body)}
        self._names = list(body)
        self._running: set[str] = set()
        self._waiting: dict[tuple[int, int], int] = {}
        free = [self._positions[name] for name, sources in self._graph.needs.items() if not sources]
        self._ready = [(index, position) for index in range(len(self._items)) for position in sorted(free)]

    def may_begin(self) -> bool:
        """May a child begin now, as far as its ForEach step is concerned?"""
        return bool(self._ready) and len(self._running) < self._limit and not self._closed()

    def pop(self) -> StepDefinition:
        """The next child; it runs from now on."""
        return self._begin(*heapq.heappop(self._ready))

    def take(self, index: int, body: str) -> StepDefinition:
        """A child out of its turn: it has begun before."""
        position = self._positions[body]
        self._ready.remove((index, position))
        heapq.heapify(self._ready)
        return self._begin(index, position)

    def end(self, step: StepDefinition, status: str, reason: str = "") -> None:
        """A child has ended."""
        assert step.iteration is not None
        self._running.discard(step.name)
        self.counts[status] += 1
        if status == SUCCEEDED:
            self._release(step.iteration)
        elif status == FAILED and not self.failure:
            self.failure = f"'{step.name}': {reason}"

    @property
    def over(self) -> bool:
        """Is no child left to run?"""
        return not self._running and (self._closed() or not self._ready)

    def _closed(self) -> bool:
        return self.counts[FAILED] + self.counts[STOPPED] > 0 or self.run.status == STOPPING

    def _begin(self, index: int, position: int) -> StepDefinition:
        step = self._body[self._names[position]]
        name = child_name(step.name, index)
        self._running.add(name)
        siblings = {body: child_name(body, index) for body in self._names}
        iteration = Iteration(self.run.step.name, step.name, index, self._items[index], siblings)
        return replace(step, name=name, depends_on=(), iteration=iteration)

    def _release(self, iteration: Iteration) -> None:
        """The steps of the same iteration that waited for this one only become ready."""
        for dependent in self._graph.dependents[iteration.body]:
            key = (iteration.index, self._positions[dependent])
            left = self._waiting.get(key, len(self._graph.needs[dependent])) - 1
            self._waiting[key] = left
            if left == 0:
                heapq.heappush(self._ready, key)
