"""Recorded lineage: the artifacts that the account knows, and where each came from and went to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from studio.addresses import page_of
from studio.ancestry import describe_entity, find_entity, trace
from studio.charts import number
from studio.lineage import Lineage, model_lineage, package_lineage
from studio.pages.page import Page, Problem, View

TYPES = ("DataSet", "Model", "ModelPackage", "Image", "Endpoint")
PAGE = 50


def lineage(view: View) -> Page:
    """With ``of`` in the address the lineage of that, else the list."""
    return _lineage_of(view, view.get("of").strip()) if view.get("of").strip() else _artifacts(view)


def _artifacts(view: View) -> Page:
    items: list[dict[str, Any]] = []
    after, problem = None, None
    try:
        answer = view.aws.sagemaker(
            "list_artifacts",
            ArtifactType=view.get("type") or None,
            SortBy="CreationTime",
            SortOrder="Descending",
            NextToken=view.get("after") or None,
            MaxResults=PAGE,
        )
        items, after = answer["ArtifactSummaries"], answer.get("NextToken")
    except Problem as found:
        problem = found
    context = {"of": "", "items": items, "next": after, "types": TYPES, "problem": problem, "page_of": page_of}
    return Page("lineage.html", "Lineage", context)


def _lineage_of(view: View, text: str) -> Page:
    entity = find_entity(view.aws, text)
    found = trace(view.aws, entity).lineage if entity else _of_model(view, text)
    described = describe_entity(view.aws, entity) if entity else {}
    source = (described.get("Source") or {}).get("SourceUri") or (text if text != entity else "")
    context = {
        "of": text,
        "entity": entity,
        "lineage": found,
        "described": described,
        "source": source,
        "facts": list(_facts(described)),
        "page_of": page_of,
    }
    return Page("lineage.html", "Lineage", context)


def _facts(described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is recorded of an entity: of a trial component also its parameters, metrics, inputs and outputs."""
    for name in ("ArtifactType", "ActionType", "ContextType", "Description"):
        yield name, described.get(name) or ""
    status = described.get("Status") or ""
    yield "Status", status if isinstance(status, str) else status.get("PrimaryStatus", "")
    yield from (described.get("Properties") or {}).items()
    for name, value in (described.get("Parameters") or {}).items():
        yield name, str(next(iter(value.values()), "")) if isinstance(value, dict) else str(value)
    for metric in described.get("Metrics") or []:
        yield metric["MetricName"], number(float(metric.get("Last", metric.get("Avg", 0.0))))
    for member in ("InputArtifacts", "OutputArtifacts"):
        for name, value in (described.get(member) or {}).items():
            yield f"{member.removesuffix('Artifacts')} {name}", value.get("Value", "")


def _of_model(view: View, text: str) -> Lineage | None:
    """Of a model or a package of which no lineage is recorded: what its description and its training job's say."""
    nothing: dict[str, Any] = {}
    if ":model-package/" in text:
        ask = partial(view.aws.sagemaker, "describe_model_package", ModelPackageName=text)
        document = view.aws.optional(ask, nothing)
        return package_lineage(view.aws, text, document) if document else None
    if ":model/" in text:
        ask = partial(view.aws.sagemaker, "describe_model", ModelName=text.rsplit("/", 1)[-1])
        document = view.aws.optional(ask, nothing)
        return model_lineage(view.aws, text, document) if document else None
    return None
