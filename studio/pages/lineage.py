"""Recorded lineage: the artifacts that the account knows, and where each came from and went to."""

from __future__ import annotations

from typing import Any

from studio.addresses import page_of
from studio.ancestry import find_entity, trace
from studio.lineage import Lineage, package_lineage
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
    found = trace(view.aws, entity).lineage if entity else _of_package(view, text)
    described = _described(view, entity) if entity else {}
    source = (described.get("Source") or {}).get("SourceUri") or (text if text != entity else "")
    context = {
        "of": text,
        "entity": entity,
        "lineage": found,
        "described": described,
        "source": source,
        "page_of": page_of,
    }
    return Page("lineage.html", "Lineage", context)


def _of_package(view: View, text: str) -> Lineage | None:
    """Of a model package of which no lineage is recorded: what its own description and its training job's say."""
    if ":model-package/" not in text:
        return None
    nothing: dict[str, Any] = {}
    document = view.aws.optional(lambda: view.aws.sagemaker("describe_model_package", ModelPackageName=text), nothing)
    return package_lineage(view.aws, text, document) if document else None


def _described(view: View, entity: str) -> dict[str, Any]:
    """What is recorded of the entity itself; its properties, its source."""
    kind = entity.split(":", 5)[-1].split("/")[0]
    name = entity.rsplit("/", 1)[-1]
    calls: dict[str, tuple[str, dict[str, str]]] = {
        "artifact": ("describe_artifact", {"ArtifactArn": entity}),
        "action": ("describe_action", {"ActionName": name}),
        "context": ("describe_context", {"ContextName": name}),
        "experiment-trial-component": ("describe_trial_component", {"TrialComponentName": name}),
    }
    method, arguments = calls[kind]
    nothing: dict[str, Any] = {}
    return view.aws.optional(lambda: view.aws.sagemaker(method, **arguments), nothing)
