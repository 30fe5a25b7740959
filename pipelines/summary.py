"""The end of a followed execution in words: failures with their logs first, then metrics, model and time."""

from __future__ import annotations

from typing import Any

from pipelines.connection import Connection
from pipelines.definition import Step
from pipelines.errors import EXIT_FAILED, EXIT_STOPPED, EXIT_SUCCEEDED
from pipelines.execution import execution_id
from pipelines.follow import Ended
from pipelines.jobs import job_of
from pipelines.logs import tail_log
from pipelines.report import duration, metrics, model_package
from pipelines.views import seconds

LOG_LINES = 20
BAR_WIDTH = 24
EXIT_CODES = {"Succeeded": EXIT_SUCCEEDED, "Failed": EXIT_FAILED, "Stopped": EXIT_STOPPED}


def exit_code(ended: Ended) -> int:
    """Exit code of a command that followed an execution to its end."""
    return EXIT_CODES.get(ended.status, EXIT_FAILED)


def summarize(connection: Connection, ended: Ended, definition: list[Step]) -> list[str]:
    """Lines to print at the end of a followed execution."""
    lines = [*_failures(connection, ended), *_metrics(connection, ended, definition)]
    if package := model_package(ended.steps):
        lines += ["", f"Model package  {package}"]
    lines += _times(ended.steps)
    arn = ended.execution["PipelineExecutionArn"]
    total = duration({"StartTime": ended.execution.get("CreationTime"), "EndTime": _end(ended)})
    return [*lines, "", f"{ended.status} in {seconds(total)}  {arn}"]


def _end(ended: Ended) -> Any:
    """When the execution ended: its last step's end, as its own time of change may be later for other reasons."""
    ends = [step["EndTime"] for step in ended.steps if step.get("EndTime")]
    return max(ends, default=ended.execution.get("LastModifiedTime"))


def _failures(connection: Connection, ended: Ended) -> list[str]:
    lines: list[str] = []
    for step in ended.steps:
        if step["StepStatus"] != "Failed" and not step.get("FailureReason"):  # a job that somebody stopped has a reason
            continue
        status, reason = step["StepStatus"].lower(), step.get("FailureReason", "no reason was given")
        lines += ["", f"Step {step['StepName']} {status}: {reason}"]
        if job_of(step) is None:
            continue
        tail = tail_log(connection, step, LOG_LINES)
        lines += [f"  | {line.rstrip()}" for line in tail] or ["  (its log is empty)"]
        identifier = execution_id(ended.execution["PipelineExecutionArn"])
        lines.append(f"  The whole log: pipelines logs {identifier} {step['StepName']}")
    reason = ended.execution.get("FailureReason")
    if reason and not lines:
        lines += ["", f"The execution failed: {reason}"]
    return lines


def _metrics(connection: Connection, ended: Ended, definition: list[Step]) -> list[str]:
    found = metrics(connection, ended.steps, definition)
    if not found:
        return []
    width = max(len(f"{metric.step} {metric.name}") for metric in found)
    rows = [f"  {f'{metric.step} {metric.name}':<{width}}  {metric.value:.6g}" for metric in found]
    return ["", "Metrics", *rows]


def _times(steps: list[dict[str, Any]]) -> list[str]:
    """Duration of each step and its share of all steps' time."""
    taken = [(step["StepName"], duration(step)) for step in steps if step.get("EndTime")]
    total = sum(time for _, time in taken)
    if not taken or not total:
        return []
    width = max(len(name) for name, _ in taken)
    rows = [
        f"  {name:<{width}}  {seconds(time):>12}  {time / total:5.0%}  {'█' * round(BAR_WIDTH * time / total)}".rstrip()
        for name, time in taken
    ]
    return ["", "Where the time went", *rows]
