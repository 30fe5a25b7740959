"""Run conditions: after which ends of another step a step runs (``DependsOn`` entries with a ``Trigger``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.engine.definition import StepDefinition
from emulator.engine.transitions import FAILED, STOPPED, SUCCEEDED

AFTER: Final = {
    "Completed": frozenset({SUCCEEDED}),
    "Failed": frozenset({FAILED}),
    "Stopped": frozenset({STOPPED}),
    "Any": frozenset({SUCCEEDED, FAILED, STOPPED}),
}
_SUCCESS = AFTER["Completed"]


class Triggers:
    """Of a set of steps, which ends of which others let them run; a reference or a condition asks for success.

    An entry of ``DependsOn`` says more than a reference to the same step: a step that runs after a failure may refer
    to what has failed.
    """

    def __init__(self, steps: Mapping[str, StepDefinition]) -> None:
        self._explicit: dict[tuple[str, str], frozenset[str]] = {}
        for step in steps.values():
            for dependency in step.depends_on:
                edge = (step.name, dependency.step)
                self._explicit[edge] = self._explicit.get(edge, AFTER["Any"]) & AFTER[dependency.trigger]
            if step.branch is not None:
                self._explicit[step.name, step.branch.condition] = _SUCCESS

    def allow(self, step: str, source: str, status: str) -> bool:
        """May ``step`` run, as far as ``source`` is concerned that has ended so?"""
        return status in self._explicit.get((step, source), _SUCCESS)
