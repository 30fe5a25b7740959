"""QueryLineage: what can be reached from an entity of lineage along associations (Developer Guide, "Querying Lineage
Entities").

The entity that a query starts from is its first result, as SDK v2 expects where it draws the graph. Without one, which
AWS leaves open, every entity is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulator.aws.errors import ResourceNotFound
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.lineage_entities import ACTION, ARTIFACT, ASSOCIATION, CONTEXT, find_entity
from emulator.services.sagemaker.paging import page_of
from emulator.services.sagemaker.tracked_lineage import track_ended
from emulator.services.sagemaker_metrics import TRIAL_COMPONENT
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

LINEAGE_TYPES = {
    ACTION.kind: "Action",
    ARTIFACT.kind: "Artifact",
    CONTEXT.kind: "Context",
    TRIAL_COMPONENT: "TrialComponent",
}
MAX_DEPTH = 10
MAX_RESULTS = 50
_WAYS = {"Ascendants": ("DestinationArn",), "Descendants": ("SourceArn",), "Both": ("DestinationArn", "SourceArn")}
"""By which end of an association a direction finds it; the other end is where it leads."""
_OTHER_END = {"DestinationArn": "SourceArn", "SourceArn": "DestinationArn"}


@operation("sagemaker", "QueryLineage", blocking=True)
def query_lineage(request: Request, context: Context) -> Response:
    track_ended(context)
    vertices, edges = _reached(request, context)
    wanted = _filter(request.get("Filters") or {})
    matching = [vertex for vertex in _told(vertices, context) if wanted(*vertex)]
    page, token = page_of(matching, request, MAX_RESULTS)
    # Edges that were not asked for are none: the SDKs read the member whatever they asked for.
    asked = edges if request.get("IncludeEdges", True) else []
    return {"Vertices": [told for _, told in page], "Edges": asked, "NextToken": token}


def _reached(request: Request, context: Context) -> tuple[list[str], list[dict[str, Any]]]:
    """ARNs in the order in which they are met, nearest first, and the associations on the way."""
    starts = request.get("StartArns") or []
    if not starts:
        walk = context.app.resources.walk
        return [each.arn for kind in LINEAGE_TYPES for each in walk(context.scope, Query(kind))], []
    known = dict.fromkeys(find_entity(context, arn)[0].arn for arn in starts)
    border, edges = list(known), {}
    for _ in range(request.get("MaxDepth", MAX_DEPTH)):
        met = []
        for edge, arn in _leading_from(border, request.get("Direction", "Both"), context):
            edges[edge.arn] = _edge(edge)
            if arn not in known:
                known[arn] = None
                met.append(arn)
        border = met
    return list(known), list(edges.values())


def _leading_from(border: list[str], direction: str, context: Context) -> Iterator[tuple[Resource, str]]:
    for arn in border:
        for end in _WAYS[direction]:
            query = Query(ASSOCIATION, members={end: arn}, descending=False)
            for edge in context.app.resources.walk(context.scope, query):
                yield edge, edge.body[_OTHER_END[end]]


def _edge(association: Resource) -> dict[str, Any]:
    return {member: association.body.get(member) for member in ("SourceArn", "DestinationArn", "AssociationType")}


def _told(arns: list[str], context: Context) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """The entities with their vertices, without trial components that are gone: those leave associations behind."""
    for arn in arns:
        with suppress(ResourceNotFound):
            entity, kind = find_entity(context, arn)
            if entity.kind == TRIAL_COMPONENT and kind is not None:
                kind = kind.removeprefix("SageMaker")  # as the SDKs' LineageSourceEnum has it: TrainingJob
            yield entity, {"Arn": entity.arn, "Type": kind, "LineageType": LINEAGE_TYPES[entity.kind]}


def _filter(filters: dict[str, Any]) -> Callable[[Resource, dict[str, Any]], bool]:
    """Whether an entity satisfies every filter that is given."""

    def wanted(entity: Resource, vertex: dict[str, Any]) -> bool:
        properties = entity.body.get("Properties") or {}
        return (
            vertex["Type"] in (filters.get("Types") or [vertex["Type"]])
            and vertex["LineageType"] in (filters.get("LineageTypes") or [vertex["LineageType"]])
            and all(properties.get(name) == value for name, value in (filters.get("Properties") or {}).items())
            and _within(entity.created, filters.get("CreatedAfter"), filters.get("CreatedBefore"))
            and _within(entity.modified, filters.get("ModifiedAfter"), filters.get("ModifiedBefore"))
        )

    return wanted


def _within(moment: float, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or moment > after.timestamp()) and (before is None or moment < before.timestamp())
