"""Following an execution until it ends: polling its steps and showing what changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.connection import Connection
from pipelines.execution import ENDED, describe_execution, list_steps

SHORTEST_INTERVAL = 0.25
LONGEST_INTERVAL = 5.0
INTERVAL_GROWTH = 0.01
"""Seconds of interval per second followed: a run of half a minute is seen at once, one of hours costs few calls."""
STEP_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})

Steps = list[dict[str, Any]]


@dataclass(frozen=True)
class Ended:
    """The end of an execution: DescribePipelineExecution and its steps."""

    execution: dict[str, Any]
    steps: Steps

    @property
    def status(self) -> str:
        return str(self.execution["PipelineExecutionStatus"])


class View(Protocol):
    """Where progress is shown."""

    def update(self, steps: Steps, *, ended: bool = False) -> None:
        """Show the steps as they are now; called at every poll, and once when the execution has ended."""


def follow_execution(
    connection: Connection, arn: str, view: View, sleep: Callable[[float], None] = time.sleep
) -> Ended:
    """Show the progress of an execution until it ends.

    One call per poll; the execution itself is asked for only when no step is under way.
    """
    begun = time.monotonic()
    while True:
        steps = list_steps(connection, arn)
        view.update(steps)
        if all(step["StepStatus"] in STEP_ENDED for step in steps):
            execution = describe_execution(connection, arn)
            if execution["PipelineExecutionStatus"] in ENDED:
                final = list_steps(connection, arn)
                view.update(final, ended=True)
                return Ended(execution, final)
        sleep(interval(time.monotonic() - begun))


def interval(followed: float) -> float:
    """Seconds until the next look at something that was followed for so long."""
    return min(max(SHORTEST_INTERVAL, followed * INTERVAL_GROWTH), LONGEST_INTERVAL)
