"""Lineage as SageMaker's lineage service has recorded it: artifacts, actions, contexts and trial components.

From one of them its ancestors and its descendants are asked for with QueryLineage (Developer Guide, "Querying Lineage
Entities"), and where that does not answer, followed through ListAssociations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from studio.addresses import link
from studio.aws import Aws
from studio.layout import CycleError
from studio.lineage import Drawing, Lineage, Thing, short

MOST = 60
"""Entities in a picture."""
MOST_PAGES, DEPTH = 10, 10
"""Of QueryLineage in one direction; how far it goes, at most."""
ENTITIES = ("artifact", "action", "context", "experiment-trial-component")
_MODELS = ("model", "modelpackage", "modelgroup", "endpoint")


@dataclass(frozen=True, slots=True)
class Ancestry:
    """``lineage`` is None where nothing is recorded, or it leads in a circle."""

    arn: str
    lineage: Lineage | None


def find_entity(aws: Aws, text: str) -> str | None:
    """The ARN of the entity that stands for an ARN of anything, or for an S3 URI; None if none is recorded."""
    if text.startswith("arn:") and text.split(":", 5)[-1].split("/", 1)[0] in ENTITIES:
        return text
    nothing: dict[str, Any] = {}
    found = aws.optional(lambda: aws.sagemaker("list_artifacts", SourceUri=text), nothing)
    if items := found.get("ArtifactSummaries"):
        return str(items[0]["ArtifactArn"])
    if not text.startswith("arn:"):
        return None
    found = aws.optional(lambda: aws.sagemaker("list_trial_components", SourceArn=text), nothing)
    components = found.get("TrialComponentSummaries")
    return str(components[0]["TrialComponentArn"]) if components else None


def describe_entity(aws: Aws, arn: str) -> dict[str, Any]:
    """What is recorded of an entity itself: its name, type, source and properties; nothing if that may not be read."""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    calls: dict[str, tuple[str, dict[str, str]]] = {
        "artifact": ("describe_artifact", {"ArtifactArn": arn}),
        "action": ("describe_action", {"ActionName": name}),
        "context": ("describe_context", {"ContextName": name}),
        "experiment-trial-component": ("describe_trial_component", {"TrialComponentName": name}),
    }
    nothing: dict[str, Any] = {}
    if kind not in calls:
        return nothing
    method, arguments = calls[kind]
    return aws.optional(lambda: aws.sagemaker(method, **arguments), nothing)


def trace(aws: Aws, arn: str) -> Ancestry:
    """What an entity came from and what came from it.

    Raises:
        Problem: AWS refused.
    """
    drawing = Drawing()
    left_out = _query(aws, arn, drawing)
    if not drawing.edges:
        left_out = _follow(aws, arn, drawing, "DestinationArn", "Source") + _follow(
            aws, arn, drawing, "SourceArn", "Destination"
        )
    try:
        return Ancestry(arn, drawing.lineage(left_out) if drawing.edges else None)
    except CycleError:
        return Ancestry(arn, None)


def _query(aws: Aws, arn: str, drawing: Drawing) -> int:
    """Ask for both directions at once, and then for the names; how many entities were left out."""
    edges: dict[tuple[str, str], None] = {}
    types: dict[str, str] = {}
    for direction in ("Ascendants", "Descendants"):
        ask = partial(_query_one_way, aws, arn, direction, edges, types)
        if not aws.optional(ask, False):
            return 0
    near = _nearest(arn, edges)
    kept = set(near[:MOST])
    with ThreadPoolExecutor(max_workers=8) as pool:
        described = pool.map(partial(describe_entity, aws), near[:MOST]) if edges else iter(())
        for entity, document in zip(near, described, strict=False):
            drawing.things[entity] = _described_thing(entity, types.get(entity, ""), document)
    drawing.edges |= dict.fromkeys(edge for edge in edges if kept.issuperset(edge))
    return len(near) - len(kept)


def _query_one_way(
    aws: Aws, arn: str, direction: str, edges: dict[tuple[str, str], None], types: dict[str, str]
) -> bool:
    token = None
    for _ in range(MOST_PAGES):
        page = aws.sagemaker(
            "query_lineage", StartArns=[arn], Direction=direction, IncludeEdges=True, MaxDepth=DEPTH, NextToken=token
        )
        types |= {vertex["Arn"]: vertex.get("Type") or "" for vertex in page.get("Vertices", [])}
        edges |= {(edge["SourceArn"], edge["DestinationArn"]): None for edge in page.get("Edges", [])}
        token = page.get("NextToken")
        if not token:
            break
    return True


def _nearest(arn: str, edges: Iterable[tuple[str, str]]) -> list[str]:
    """The entity and all that edges join to it, the nearest first."""
    neighbours: dict[str, list[str]] = {}
    for source, target in edges:
        neighbours.setdefault(source, []).append(target)
        neighbours.setdefault(target, []).append(source)
    found = {arn: None}
    queue = deque([arn])
    while queue:
        for other in neighbours.get(queue.popleft(), []):
            if other not in found:
                found[other] = None
                queue.append(other)
    return list(found)


def _described_thing(arn: str, kind: str, document: Mapping[str, Any]) -> Thing:
    names = ("ArtifactName", "ActionName", "ContextName", "TrialComponentName")
    name = next((document[member] for member in names if document.get(member)), "")
    return _entity(arn, kind, name)


def _follow(aws: Aws, arn: str, drawing: Drawing, known: str, other: str) -> int:
    """Follow associations in one direction; how many entities were left out."""
    queue, left_out = deque([arn]), 0
    seen = {arn}
    while queue:
        for item in _associations(aws, **{known: queue.popleft()}):
            found = item[f"{other}Arn"]
            if found not in seen and len(drawing.things) >= MOST:
                left_out += 1
                continue
            for end in ("Source", "Destination"):
                drawing.things.setdefault(item[f"{end}Arn"], _thing(item, end))
            drawing.edges[item["SourceArn"], item["DestinationArn"]] = None
            if found not in seen:
                seen.add(found)
                queue.append(found)
    return left_out


def _associations(aws: Aws, **arguments: str) -> Iterator[dict[str, Any]]:
    return islice(aws.every("list_associations", "AssociationSummaries", MaxResults=100, **arguments), 2 * MOST)


def _thing(item: dict[str, Any], end: str) -> Thing:
    return _entity(item[f"{end}Arn"], item.get(f"{end}Type", ""), item.get(f"{end}Name", ""))


def _entity(arn: str, kind: str, name: str) -> Thing:
    is_artifact = arn.split(":", 5)[-1].startswith("artifact/")
    shape = "step" if not is_artifact else "model" if kind.lower() in _MODELS else "data"
    title = name or short(arn.rsplit("/", 1)[-1], 24)
    return Thing(arn, shape, title, kind or arn.split(":", 5)[-1].split("/")[0], arn, link("lineage", of=arn))
