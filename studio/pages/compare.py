"""Executions side by side: parameters, metrics, reports as charts; all of it or only what differs."""

from __future__ import annotations

from typing import Any

from studio.charts import Chart, chart
from studio.compare import MOST, Measured, figure_rows, measure_all, parameter_rows
from studio.execution import load_execution
from studio.pages.page import Page, View


def compare(view: View) -> Page:
    name = view.parts["pipeline"]
    wanted = list(dict.fromkeys(view.query.getlist("e")))[:MOST]
    executions = [load_execution(view.aws, name, identifier) for identifier in wanted]
    measured = measure_all(view.aws, executions)
    only_differences = view.get("diff") == "1"
    tables = [("Parameters", parameter_rows(executions)), ("Metrics", figure_rows(measured))]
    if only_differences:
        tables = [(title, [row for row in rows if row.differs]) for title, rows in tables]
    labels = [execution.title for execution in executions]
    context: dict[str, Any] = {
        "name": name,
        "executions": executions,
        "tables": tables,
        "only_differences": only_differences,
        "roc": roc(labels, measured),
        "matrices": _matrices(measured),
        "most": MOST,
    }
    return Page("compare.html", f"Compare {name}", context)


def roc(labels: list[str], measured: list[Measured]) -> Chart | None:
    """The ROC curves of all in one square, in the order of ``labels``; an execution without one has none."""
    curves = []
    for label, one in zip(labels, measured, strict=True):
        curves += [(label, report.roc) for report in one.reports.values() if report.roc][:1]
    return chart(curves, 300, 300, (0.0, 1.0), (0.0, 1.0)) if curves else None


def _matrices(measured: list[Measured]) -> list[Any]:
    return [next((report for report in one.reports.values() if report.matrix), None) for one in measured]
