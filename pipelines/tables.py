"""Plain-text tables of executions and steps, and logs under headings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.connection import Connection
from pipelines.errors import UsageError, suggest
from pipelines.execution import execution_id, list_steps
from pipelines.jobs import job_of
from pipelines.logs import read_log, tail_log
from pipelines.report import duration
from pipelines.views import seconds

Rows = list[tuple[str, ...]]


def render(rows: Rows) -> list[str]:
    """Rows, the first of them headings, as lines with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def execution_rows(summaries: list[dict[str, Any]]) -> Rows:
    """A table of ListPipelineExecutions."""
    rows: Rows = [("EXECUTION", "STATUS", "STARTED", "REASON")]
    for item in summaries:
        reason = item.get("PipelineExecutionFailureReason") or ""
        identifier = execution_id(item["PipelineExecutionArn"])
        rows.append((identifier, item["PipelineExecutionStatus"], moment(item.get("StartTime")), _short(reason)))
    return rows


def step_rows(steps: list[dict[str, Any]]) -> Rows:
    """A table of ListPipelineExecutionSteps."""
    rows: Rows = [("STEP", "STATUS", "STARTED", "TOOK", "DETAIL")]
    for step in steps:
        took = seconds(duration(step)) if step.get("StartTime") else ""
        rows.append((step["StepName"], step["StepStatus"], moment(step.get("StartTime")), took, _detail(step)))
    return rows


@dataclass(frozen=True)
class StepLog:
    """The log of a step; its lines are read as they are asked for."""

    step: str
    status: str
    lines: Iterable[str]


def step_logs(connection: Connection, arn: str, name: str | None, tail: int | None) -> Iterator[StepLog]:
    """The logs of an execution's steps, or of one; failed steps first, then in the order they began.

    Raises:
        UsageError: the execution has no such step, or that step runs no job.
    """
    steps = list_steps(connection, arn)
    for step in [_choose(steps, name)] if name else _failed_first(steps):
        lines = tail_log(connection, step, tail) if tail else read_log(connection, step)
        yield StepLog(step["StepName"], step["StepStatus"], lines)


def as_lines(logs: Iterable[StepLog], *, headings: bool) -> Iterator[str]:
    """Logs one after the other, each under its heading."""
    for log in logs:
        if headings:
            yield f"==> {log.step} ({log.status})"
        yield from log.lines


def _failed_first(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted((step for step in steps if job_of(step)), key=lambda step: step["StepStatus"] != "Failed")


def _choose(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    by_name = {step["StepName"]: step for step in steps}
    if name not in by_name:
        raise UsageError(f"The execution has not begun a step {name!r}{suggest(name, by_name)}")
    if job_of(by_name[name]) is None:
        reason = by_name[name].get("FailureReason")
        raise UsageError(f"Step {name} runs no job, so it has no log.{f' It failed: {reason}' if reason else ''}")
    return by_name[name]


def _detail(step: dict[str, Any]) -> str:
    if step.get("FailureReason"):
        return _short(str(step["FailureReason"]))
    if step.get("CacheHitResult"):
        return "cached"
    for kind, details in (step.get("Metadata") or {}).items():
        if kind == "Condition":
            return f"outcome {details.get('Outcome')}"
        if details.get("Arn"):
            return str(details["Arn"])
    return ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"


def moment(time: datetime | None) -> str:
    """A time in the time zone of this machine; empty for none."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else ""
