"""Pipelines: the list, and a page per pipeline with executions, graph, parameters, versions and settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response

from studio.addresses import link
from studio.commands import cli
from studio.definition import Definition, read_definition
from studio.graph import build_graph
from studio.pages.page import Aws, Page, Problem, View, Write
from studio.pages.runs import read_runs
from studio.steps import UNDER_WAY

Item = dict[str, Any]
NOTHING: Item = {}
PAGE, MARKS = 25, 5
"""Pipelines on a page, and marks of executions beside each."""
FRESH_SECONDS = 20.0
"""How long the marks of a pipeline whose executions have all ended are taken as they were."""


def pipelines(view: View) -> Page:
    sort = view.get("sort", "executed")
    order = {"name": "Name", "created": "CreationTime"}.get(sort)
    found, after = view.listed(
        "list_pipelines",
        "PipelineSummaries",
        PipelineNamePrefix=view.get("q") or None,
        SortBy=order or "CreationTime",
        SortOrder="Ascending" if order == "Name" else "Descending",
        MaxResults=PAGE,
    )
    if sort == "executed":
        found.sort(key=lambda item: item["LastExecutionTime"].timestamp() if item.get("LastExecutionTime") else 0.0)
        found.reverse()
    latest = _latest(view.aws, found)
    is_live = any(run["PipelineExecutionStatus"] in UNDER_WAY for runs in latest.values() for run in runs)
    context = {"items": found, "latest": latest, "next": after, "sort": sort}
    return Page("pipelines.html", "Pipelines", context, ("list",), is_live)


def _latest(aws: Aws, items: list[Item]) -> dict[str, list[Item]]:
    """The latest executions of each pipeline, for the strip of marks beside its name."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        strips = pool.map(partial(_strip, aws), items)
        return dict(zip((item["PipelineName"] for item in items), strips, strict=True))


def _strip(aws: Aws, item: Item) -> list[Item]:
    """None of a pipeline that has never run; remembered until it runs again, or what has ended may be retried."""
    key = item["PipelineArn"], item.get("LastExecutionTime")
    if key[1] is None:
        return []
    until, known = aws.strips.get(key) or (0.0, [])
    if time.monotonic() < until:
        return known
    listed = partial(aws.sagemaker, "list_pipeline_executions", PipelineName=item["PipelineName"], MaxResults=MARKS)
    found = list(aws.optional(listed, NOTHING).get("PipelineExecutionSummaries", []))
    if found and not any(run["PipelineExecutionStatus"] in UNDER_WAY for run in found):
        aws.strips.put(key, (time.monotonic() + FRESH_SECONDS, found))
    return found


def pipeline(view: View) -> Page:
    name, tab = view.parts["pipeline"], view.get("tab", "executions")
    if tab not in _CONTEXTS:
        tab = "executions"
    document = view.aws.sagemaker("describe_pipeline", PipelineName=name)
    definition = read_definition(document["PipelineDefinition"])
    context: dict[str, Any] = {
        "document": document,
        "name": name,
        "tab": tab,
        "definition": definition,
        "tabs": tuple(_CONTEXTS),
    }
    context |= _CONTEXTS[tab](view, name, definition, document)
    if tab != "executions":
        return Page("pipeline.html", name, context, view=view)
    return Page("pipeline.html", name, context, ("columns", "executions"), context["runs"].is_live, view=view)


def _executions(view: View, name: str, definition: Definition, _: dict[str, Any]) -> dict[str, Any]:
    return {"runs": read_runs(view, name, definition)}


def _graph(view: View, _: str, definition: Definition, __: dict[str, Any]) -> dict[str, Any]:
    selected = view.get("step")
    graph = build_graph(definition, opened=view.query.getlist("open"))
    node = next((node for node in graph.nodes if node.name == selected and node.members), None)
    return {"graph": graph, "selected": selected, "step": definition.steps.get(selected), "node": node}


def _versions(view: View, name: str, _: Definition, __: dict[str, Any]) -> dict[str, Any]:
    try:
        page = view.aws.sagemaker("list_pipeline_versions", PipelineName=name, NextToken=view.get("after") or None)
    except Problem as problem:
        return {"items": [], "next": None, "problem": problem}
    return {"items": page["PipelineVersionSummaries"], "next": page.get("NextToken"), "problem": None}


def _settings(view: View, name: str, _: Definition, document: dict[str, Any]) -> dict[str, Any]:
    arn = document["PipelineArn"]
    tags = view.aws.optional(partial(view.aws.sagemaker, "list_tags", ResourceArn=arn), NOTHING).get("Tags", [])
    return {"tags": tags, "command": cli("sagemaker", "DeletePipeline", PipelineName=name)}


def _parameters(*_: Any) -> dict[str, Any]:
    return {}  # they are in the definition


_CONTEXTS: dict[str, Callable[[View, str, Definition, dict[str, Any]], dict[str, Any]]] = {
    "executions": _executions,
    "graph": _graph,
    "parameters": _parameters,
    "versions": _versions,
    "settings": _settings,
}


def definition_download(view: View) -> Response:
    name, version = view.parts["pipeline"], view.get("version")
    answer = view.aws.sagemaker(
        "describe_pipeline", PipelineName=name, PipelineVersionId=int(version) if version.isdecimal() else None
    )
    suffix = f"-version-{version}" if version else ""
    disposition = f'attachment; filename="{name}{suffix}.json"'
    return Response(
        answer["PipelineDefinition"], media_type="application/json", headers={"Content-Disposition": disposition}
    )


def delete(write: Write) -> Response | Page:
    name = write.parts["pipeline"]
    if write.form.get("confirm") != name:
        page = pipeline(write.view.at(link("pipelines", name), tab="settings"))
        page.context["wrong"] = f"Type {name} to delete it."
        return replace(page, status=422)
    write.aws.sagemaker("delete_pipeline", PipelineName=name)
    write.aws.forget()
    return RedirectResponse("/pipelines", 303)
