"""Which steps RetryPipelineExecution runs anew: what failed or was stopped, and what came after it."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.engine.definition import Definition
from emulator.engine.graph import Graph
from emulator.engine.store import ITERATION, StepRecord
from emulator.engine.transitions import SUCCEEDED


def steps_to_run_anew(definition: Definition, records: Iterable[StepRecord]) -> dict[str, int]:
    """The names of these steps and how often they were tried.

    A step that ran because another failed must wait for that one again; so must all that followed. Of a ForEach step
    that runs anew every child does.
    """
    begun = {record.name: record for record in records}
    dependents = Graph.of(definition).dependents
    pending = [name for name, record in begun.items() if record.status != SUCCEEDED and name in dependents]
    anew: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in anew:
            anew.add(name)
            pending.extend(dependents[name])
    return {name: it.attempt for name, it in begun.items() if name in anew or _parent(it) in anew}


def _parent(record: StepRecord) -> str | None:
    context = record.display.get(ITERATION)
    return context["ParentStepName"] if context else None
