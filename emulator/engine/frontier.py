"""Which steps may run next. Every event costs only the steps that waited for it, so a chain of 1,000 is linear."""

from __future__ import annotations

import heapq

from emulator.engine.definition import Definition
from emulator.engine.graph import Graph
from emulator.engine.transitions import SUCCEEDED
from emulator.engine.triggers import Triggers


class Frontier:
    """The steps of one execution between "all of them wait" and "all of them are settled".

    A step becomes ready when every step it needs has ended as it asks, by default in success. A step in the branch that
    was not chosen is skipped, a step that asked for another end too, and so is every step that needs a skipped one.
    Ready steps come out in the order of the definition.
    """

    def __init__(self, definition: Definition, graph: Graph) -> None:
        self._steps = definition.steps
        self._graph = graph
        self._triggers = Triggers(definition.steps)
        self._names = list(definition.steps)
        self._position = {name: number for number, name in enumerate(self._names)}
        self._waiting = {name: len(sources) for name, sources in graph.needs.items()}
        self._ready = [self._position[name] for name, count in self._waiting.items() if count == 0]
        self.skipped: set[str] = set()
        heapq.heapify(self._ready)

    def __len__(self) -> int:
        """How many steps are ready."""
        return len(self._ready)

    def pop(self) -> str:
        """The next ready step; it is the caller's from now on."""
        return self._names[heapq.heappop(self._ready)]

    def take(self, name: str) -> None:
        """Take a ready step out of its turn: it has begun before."""
        self._ready.remove(self._position[name])
        heapq.heapify(self._ready)

    def end(self, name: str, status: str = SUCCEEDED, outcome: bool | None = None) -> None:
        """A step has ended; ``outcome`` says which branch a condition chose."""
        for dependent in self._graph.dependents[name]:
            if not self._follows(dependent, name, status, outcome):
                self._skip(dependent)
        for dependent in self._graph.dependents[name]:
            if dependent not in self.skipped:
                self._waiting[dependent] -= 1
                if self._waiting[dependent] == 0:
                    heapq.heappush(self._ready, self._position[dependent])

    def handles(self, name: str, status: str) -> bool:
        """Is there a step that runs, or is yet to run, because this one has ended so?"""
        return any(
            dependent not in self.skipped and self._triggers.allow(dependent, name, status)
            for dependent in self._graph.dependents[name]
        )

    def _follows(self, dependent: str, name: str, status: str, outcome: bool | None) -> bool:
        branch = self._steps[dependent].branch
        if branch is not None and branch.condition == name and branch.outcome != outcome:
            return False
        return self._triggers.allow(dependent, name, status)

    def _skip(self, name: str) -> None:
        pending = [name]
        while pending:
            step = pending.pop()
            if step not in self.skipped:
                self.skipped.add(step)
                pending.extend(self._graph.dependents[step])
