"""Pipelines: the list, and a page per pipeline with executions, graph, parameters, versions and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.responses import RedirectResponse, Response

from studio.aws import optional
from studio.commands import cli
from studio.definition import Definition, as_text, read_definition
from studio.graph import build_graph
from studio.pages.page import Aws, Page, Problem, View, Write, link
from studio.steps import UNDER_WAY

PAGE = 25
MOST_SCANNED = 1000
"""Executions looked through for those that a filter asks for."""


def pipelines(view: View) -> Page:
    sort = view.get("sort", "executed")
    order = {"name": "Name", "created": "CreationTime"}.get(sort)
    answer = view.aws.sagemaker(
        "list_pipelines",
        PipelineNamePrefix=view.get("q") or None,
        SortBy=order or "CreationTime",
        SortOrder="Ascending" if order == "Name" else "Descending",
        NextToken=view.get("after") or None,
        MaxResults=100,
    )
    found = answer["PipelineSummaries"]
    if sort == "executed":
        found.sort(key=lambda item: item["LastExecutionTime"].timestamp() if item.get("LastExecutionTime") else 0.0)
        found.reverse()
    latest = _latest(view.aws, [item["PipelineName"] for item in found])
    context = {"items": found, "latest": latest, "next": answer.get("NextToken"), "sort": sort}
    return Page("pipelines.html", "Pipelines", context)


def _latest(aws: Aws, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The latest executions of each pipeline, for the strip of marks beside its name."""

    def ask(name: str) -> list[dict[str, Any]]:
        answer = optional(lambda: aws.sagemaker("list_pipeline_executions", PipelineName=name, MaxResults=8), {})
        return list(answer.get("PipelineExecutionSummaries", []))

    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(names, pool.map(ask, names), strict=True))


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
    is_live = tab == "executions" and any(e["PipelineExecutionStatus"] in UNDER_WAY for e in context["items"])
    return Page("pipeline.html", name, context, ("executions",) if tab == "executions" else (), is_live)


def _executions(view: View, name: str, definition: Definition, _: dict[str, Any]) -> dict[str, Any]:
    order = "Ascending" if view.get("sort") == "oldest" else "Descending"
    items, after = _filtered(view, name, order)
    given = _given(view.aws, [item["PipelineExecutionArn"] for item in items])
    defaults = {parameter.name: parameter.default_text for parameter in definition.parameters}
    changed = {
        arn: {key: value for key, value in values.items() if value != defaults.get(key)}
        for arn, values in given.items()
    }
    return {"items": items, "next": after, "changed": changed}


def _filtered(view: View, name: str, order: str) -> tuple[list[dict[str, Any]], str | None]:
    """A page of executions. SageMaker does not filter them, so with a filter they are looked through here."""
    status, text, after = view.get("status"), view.get("q").lower(), view.get("after") or None
    found: list[dict[str, Any]] = []
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


def _matches(item: dict[str, Any], status: str, text: str) -> bool:
    said = f"{item.get('PipelineExecutionDisplayName', '')} {item['PipelineExecutionArn'].rsplit('/', 1)[-1]}".lower()
    return status in ("", item["PipelineExecutionStatus"]) and text in said


def _given(aws: Aws, arns: list[str]) -> dict[str, dict[str, str]]:
    """The parameters that executions were started with, which never change."""

    def ask(arn: str) -> dict[str, str]:
        return {item["Name"]: as_text(item["Value"]) for item in aws.parameters(arn)}

    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(arns, pool.map(ask, arns), strict=True))


def _graph(view: View, _: str, definition: Definition, __: dict[str, Any]) -> dict[str, Any]:
    selected = view.get("step")
    step = definition.steps.get(selected)
    return {"graph": build_graph(definition, opened=view.query.getlist("open")), "selected": selected, "step": step}


def _versions(view: View, name: str, _: Definition, __: dict[str, Any]) -> dict[str, Any]:
    try:
        page = view.aws.sagemaker("list_pipeline_versions", PipelineName=name, NextToken=view.get("after") or None)
    except Problem as problem:
        if not problem.is_unserved:
            raise
        return {"items": [], "next": None, "problem": problem}
    return {"items": page["PipelineVersionSummaries"], "next": page.get("NextToken"), "problem": None}


def _settings(view: View, name: str, _: Definition, document: dict[str, Any]) -> dict[str, Any]:
    tags = optional(lambda: view.aws.sagemaker("list_tags", ResourceArn=document["PipelineArn"])["Tags"], [])
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
        "describe_pipeline", PipelineName=name, PipelineVersionId=int(version) if version.isdigit() else None
    )
    suffix = f"-version-{version}" if version else ""
    disposition = f'attachment; filename="{name}{suffix}.json"'
    return Response(
        answer["PipelineDefinition"], media_type="application/json", headers={"Content-Disposition": disposition}
    )


def delete(write: Write) -> Response | Page:
    name = write.parts["pipeline"]
    if write.form.get("confirm") != name:
        view = View(write.aws, write.options, link("pipelines", name), write.parts, _query(tab="settings"))
        page = pipeline(view)
        page.context["wrong"] = f"Type {name} to delete it."
        return Page(page.template, page.title, page.context, status=422)
    write.aws.sagemaker("delete_pipeline", PipelineName=name)
    write.aws.forget_pipeline()
    return RedirectResponse("/pipelines", 303)


def _query(**items: str) -> Any:
    from starlette.datastructures import QueryParams

    return QueryParams(items)


def every_name(aws: Aws, most: int = 2000) -> Iterator[str]:
    """The names of all pipelines, for the search."""
    for number, item in enumerate(aws.every("list_pipelines", "PipelineSummaries", MaxResults=100)):
        if number >= most:
            return
        yield item["PipelineName"]
