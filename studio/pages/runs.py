"""The executions of a pipeline as a table: what each was started with, and the metrics that the reader has chosen."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from studio.definition import Definition, as_text
from studio.pages.page import View
from studio.scores import Figures
from studio.steps import UNDER_WAY

PAGE = 25
MOST_SCANNED = 1000
"""Executions looked through for those that a filter asks for."""
USUAL_COLUMNS = 3
"""Metrics that are shown while none are chosen."""
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A metric of a step."""

    step: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.step}.{self.name}"


@dataclass(frozen=True, slots=True)
class Runs:
    """A page of executions. ``figures`` of one that is still being read are None."""

    items: list[Item]
    next: str | None
    changed: dict[str, dict[str, str]]
    figures: dict[str, Figures | None]
    columns: list[Column]
    """Shown."""
    choices: list[Column]
    """All that could be shown."""

    @property
    def is_reading(self) -> bool:
        return None in self.figures.values()

    @property
    def is_live(self) -> bool:
        return self.is_reading or any(i["PipelineExecutionStatus"] in UNDER_WAY for i in self.items)

    def text(self, arn: str, column: Column) -> str | None:
        """The metric with four digits, to be read down a column; empty if there is none, None while it is read."""
        figures = self.figures[arn]
        if figures is None:
            return None
        value = figures.get((column.step, column.name))
        return "" if value is None else f"{value:.4g}"


def read_runs(view: View, name: str, definition: Definition) -> Runs:
    """The page of executions that the address asks for.

    Raises:
        Problem: AWS refuses to list them.
    """
    items, after = _filtered(view, name, "Ascending" if view.get("sort") == "oldest" else "Descending")
    statuses = {item["PipelineExecutionArn"]: item["PipelineExecutionStatus"] for item in items}
    figures = view.scores.of(statuses, view.aws)
    choices = _choices(definition, figures.values())
    given = _given(view, list(statuses))
    defaults = {parameter.name: parameter.default_text for parameter in definition.parameters}
    changed = {arn: {k: v for k, v in values.items() if v != defaults.get(k)} for arn, values in given.items()}
    columns = choices[:USUAL_COLUMNS]
    if "metric" in view.query:
        columns = [column for column in choices if column.key in view.query.getlist("metric")]
    return Runs(_sorted(items, figures, view), after, changed, figures, columns, choices)


def _choices(definition: Definition, figures: Iterable[Figures | None]) -> list[Column]:
    """Every metric of these executions, those of steps that come last first: an evaluation says more than a loss."""
    found = dict.fromkeys(key for one in figures if one for key in one)
    place = {name: number for number, name in enumerate(definition.steps)}
    return sorted((Column(*key) for key in found), key=lambda column: -place.get(column.step, -1))


def _sorted(items: list[Item], figures: dict[str, Figures | None], view: View) -> list[Item]:
    """Sorted by the metric in the address, if there is one; executions without it come last."""
    step, _, name = view.get("by").partition(".")
    if not name:
        return items
    sign = 1 if view.get("dir") == "up" else -1
    values = {arn: (one or {}).get((step, name)) for arn, one in figures.items()}

    def key(item: Item) -> tuple[bool, float]:
        value = values[item["PipelineExecutionArn"]]
        return value is None, sign * (value or 0.0)

    return sorted(items, key=key)


def _filtered(view: View, name: str, order: str) -> tuple[list[Item], str | None]:
    """A page of executions. SageMaker does not filter them, so with a filter they are looked through here."""
    status, text, after = view.get("status"), view.get("q").lower(), view.get("after") or None
    found: list[Item] = []
    scanned = 0
    while len(found) < PAGE and scanned < MOST_SCANNED:
        page = view.aws.sagemaker(
            "list_pipeline_executions",
            PipelineName=name,
            SortBy="CreationTime",
            SortOrder=order,
            NextToken=after,
            MaxResults=100 if status or text else PAGE,
        )
        items = page["PipelineExecutionSummaries"]
        scanned += len(items)
        found += [item for item in items if _matches(item, status, text)]
        after = page.get("NextToken")
        if not after:
            break
    return found, after


def _matches(item: Item, status: str, text: str) -> bool:
    said = f"{item.get('PipelineExecutionDisplayName', '')} {item['PipelineExecutionArn'].rsplit('/', 1)[-1]}".lower()
    return status in ("", item["PipelineExecutionStatus"]) and text in said


def _given(view: View, arns: list[str]) -> dict[str, dict[str, str]]:
    """The parameters that executions were started with, which never change."""

    def ask(arn: str) -> dict[str, str]:
        items: list[Item] = view.aws.optional(lambda: view.aws.parameters(arn), [])
        return {item["Name"]: as_text(item["Value"]) for item in items}

    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(arns, pool.map(ask, arns), strict=True))
