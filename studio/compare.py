"""Executions side by side: parameters, metrics and evaluation reports, each as rows with a value per execution."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from studio.aws import Aws, Problem
from studio.charts import number
from studio.execution import Execution
from studio.expressions import walk
from studio.jobs import KINDS, describe_job, view_job
from studio.objects import split_uri
from studio.reports import Report, read_report

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


def measure(aws: Aws, execution: Execution) -> Measured:
    """The metrics of training jobs, and the reports that steps declare as property files."""
    measured = Measured()
    for step in execution.definition.steps.values():
        state = execution.states.get(step.name)
        if state is None or state.job is None or state.status != "Succeeded":
            continue
        files = step.document.get("PropertyFiles") or []
        if state.job[0] == "Training":
            document = describe_job(aws, KINDS["training"], state.job[1])
            measured.figures.update({(step.name, k): v for k, v in view_job(KINDS["training"], document).metrics})
        elif files:
            document = describe_job(aws, KINDS["processing"], state.job[1])
            for entry in files:
                report = read_property_file(aws, document, entry["OutputName"], entry["FilePath"])
                if report:
                    measured.reports[step.name] = report
                    measured.figures.update({(step.name, k): v for k, v in report.figures.items()})
    return measured


def measure_all(aws: Aws, executions: Sequence[Execution]) -> list[Measured]:
    with ThreadPoolExecutor(max_workers=MOST) as pool:
        return list(pool.map(lambda execution: measure(aws, execution), executions))


def read_property_file(aws: Aws, document: dict[str, object], output: str, path: str) -> Report | None:
    try:
        uri = walk(document, f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
        return read_report(aws, *split_uri(f"{uri.rstrip('/')}/{path}"))
    except (KeyError, Problem):  # a file that is gone, or that the reader may not see, leaves the rest
        return None


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
