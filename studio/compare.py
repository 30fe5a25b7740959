"""Executions side by side: parameters, metrics and evaluation reports, each as rows with a value per execution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from studio.addresses import split_uri
from studio.aws import Aws
from studio.charts import number
from studio.definition import Definition, Step
from studio.execution import Execution
from studio.expressions import walk
from studio.job_view import view_job
from studio.jobs import Kind, describe_job
from studio.reports import Report, read_report
from studio.steps import StepState

MOST = 6
"""Executions side by side."""


@dataclass(frozen=True, slots=True)
class Row:
    """A name and its value in each execution; None where one has none."""

    name: str
    values: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What the steps of an execution measured: figures by (step, name) and the evaluation reports by step."""

    figures: dict[tuple[str, str], float] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)


def measure(aws: Aws, definition: Definition, states: Mapping[str, StepState]) -> Measured:
    """The metrics of training and tuning jobs, and the reports that steps declare as property files."""
    measured = Measured()
    for step in definition.steps.values():
        state = states.get(step.name)
        if state is None or state.job is None or state.status != "Succeeded":
            continue
        kind, name = state.job
        if not _can_measure(step, kind):
            continue
        document = describe_job(aws, kind, name)
        figures = dict(view_job(kind, document).metrics)
        for entry in step.document.get("PropertyFiles") or []:
            if report := read_property_file(aws, document, entry["OutputName"], entry["FilePath"]):
                measured.reports[step.name] = report
                figures |= report.figures
        measured.figures.update({(step.name, figure): value for figure, value in figures.items()})
    return measured


def _can_measure(step: Step, kind: Kind) -> bool:
    return kind.slug in ("training", "tuning") or (kind.slug == "processing" and "PropertyFiles" in step.document)


def measure_all(aws: Aws, executions: Sequence[Execution]) -> list[Measured]:
    """What each of them measured; nothing of one that may not be read."""

    def ask(execution: Execution) -> Measured:
        return aws.optional(lambda: measure(aws, execution.definition, execution.states), Measured())

    with ThreadPoolExecutor(max_workers=MOST) as pool:
        return list(pool.map(ask, executions))


def read_property_file(aws: Aws, document: dict[str, object], output: str, path: str) -> Report | None:
    """The report in a job's output; None where there is none, or it may not be read."""
    try:
        uri = walk(document, f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
        place = split_uri(f"{uri.rstrip('/')}/{path}")
    except KeyError:
        return None
    return aws.optional(lambda: read_report(aws, *place), None)


def parameter_rows(executions: Sequence[Execution]) -> list[Row]:
    names = dict.fromkeys(name for execution in executions for name in execution.values)
    return [Row(name, tuple(execution.values.get(name) for execution in executions)) for name in names]


def figure_rows(measured: Sequence[Measured]) -> list[Row]:
    keys = dict.fromkeys(key for one in measured for key in one.figures)
    return [
        Row(f"{step} · {name}", tuple(_text(one.figures.get((step, name))) for one in measured)) for step, name in keys
    ]


def _text(value: float | None) -> str | None:
    return None if value is None else number(value)
