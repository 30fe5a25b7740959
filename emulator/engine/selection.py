"""Selective execution: some steps of a pipeline run, on the results that an earlier execution had before them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from emulator.aws.errors import ValidationException
from emulator.engine.definition import Definition
from emulator.engine.graph import Graph
from emulator.engine.store import ExecutionStore, StepRecord
from emulator.engine.transitions import SUCCEEDED

CONFIG = "SelectiveExecutionConfig"
RESULT = "SelectiveExecutionResult"
SOURCE = "SourcePipelineExecutionArn"


def selected_steps(config: dict[str, Any] | None) -> frozenset[str] | None:
    """The names of the steps that run, None if all do."""
    return frozenset(step["StepName"] for step in config["SelectedSteps"]) if config else None


def check_selection(definition: Definition, config: dict[str, Any]) -> list[str]:
    """The steps whose results must be copied, in the order of the definition.

    Raises:
        ValidationException: a step is unknown, one between two selected steps is missing, or results are needed and
            no execution is given that has them.
    """
    graph, selected = Graph.of(definition), selected_steps(config) or frozenset()
    unknown = [step["StepName"] for step in config["SelectedSteps"] if step["StepName"] not in definition.steps]
    if unknown:
        raise ValidationException(
            f"Invalid SelectedSteps: {_listed(unknown)} are no steps of the pipeline."
            f" Its steps are {_listed(definition.steps)}"
        )
    between = _reach(selected, graph.dependents) & _reach(selected, graph.needs) - selected
    if between:
        raise ValidationException(
            f"Invalid SelectedSteps: all steps on the paths between selected steps must be selected."
            f" Missing: {_listed(name for name in definition.steps if name in between)}"
        )
    needed = graph.sources_of(selected)
    copied = [name for name in definition.steps if name in needed]
    if copied and config.get(SOURCE) is None:
        names = _listed(name for name in definition.steps if name in selected)
        raise ValidationException(
            f"Invalid {SOURCE}: null. The selected steps {names} have dependencies on {_listed(copied)}"
        )
    return copied


def copy_results(store: ExecutionStore, source: str, names: Sequence[str]) -> list[StepRecord]:
    """Records of the steps as they succeeded in the execution ``source``; their execution is yet to be filled in.

    Raises:
        ValidationException: a step has not succeeded there.
    """
    if not names:
        return []
    succeeded = {record.name: record for record in store.steps(source) if record.status == SUCCEEDED}
    missing = [name for name in names if name not in succeeded]
    if missing:
        raise ValidationException(
            f"Invalid {SOURCE}: {source}. The selected steps depend on {_listed(missing)}, which did not succeed there."
        )
    return [_copy(store, succeeded[name], source) for name in names]


def _copy(store: ExecutionStore, record: StepRecord, source: str) -> StepRecord:
    now = time.time()
    display = {key: value for key, value in record.display.items() if key.startswith("Step")}
    return replace(
        record,
        started=now,
        ended=now,
        display=display | {RESULT: {SOURCE: source}},
        arguments=store.arguments(source, record.name),
        properties=store.properties(source, record.name),
    )


def _reach(steps: Iterable[str], edges: Any) -> frozenset[str]:
    """Every step that an edge or more lead to from one of these."""
    found: set[str] = set()
    pending = list(steps)
    while pending:
        for name in edges[pending.pop()]:
            if name not in found:
                found.add(name)
                pending.append(name)
    return frozenset(found)


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(names)}]"
