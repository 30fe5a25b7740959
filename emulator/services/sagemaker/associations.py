"""Associations: directed edges between lineage entities (API Reference, AddAssociation)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.aws.errors import NotImplementedHere, ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.identity import user_context
from emulator.services.sagemaker.lineage_entities import ARTIFACT, ASSOCIATION, find_entity
from emulator.services.sagemaker.paging import paging
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

_FILTERS = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
_SORTS = {"CreationTime": "CreationTime", "SourceArn": "Name"}
"""What can be sorted by; a stored association is named after its source and destination."""


@operation("sagemaker", "AddAssociation")
def add_association(request: Request, context: Context) -> Response:
    if request["SourceArn"].lower() == request["DestinationArn"].lower():
        raise ValidationException("SourceArn and DestinationArn must differ.")
    source, destination = _end(request["SourceArn"], context), _end(request["DestinationArn"], context)
    body = {f"Source{member}": value for member, value in source.items()}
    body |= {f"Destination{member}": value for member, value in destination.items()}
    body |= {"AssociationType": request.get("AssociationType"), "CreatedBy": user_context(context)}
    name = _name(source["Arn"], destination["Arn"])
    if not context.app.resources.insert(Resource(context.scope, ASSOCIATION, name, name, body)):
        raise ValidationException(
            f"Association between source {source['Arn']} and destination {destination['Arn']} already exists."
        )
    return {"SourceArn": source["Arn"], "DestinationArn": destination["Arn"]}


@operation("sagemaker", "ListAssociations")
def list_associations(request: Request, context: Context) -> Response:
    sort_by = request.get("SortBy", "CreationTime")
    if sort_by not in _SORTS:
        raise NotImplementedHere(f"ListAssociations sorted by {sort_by} is not implemented in this emulator yet.")
    members = {member: request[member] for member in _FILTERS if request.get(member) is not None}
    query = Query(ASSOCIATION, members=members, **paging({**request, "SortBy": _SORTS[sort_by]}))
    page, token = context.app.resources.page(context.scope, query)
    summaries = [{**association.body, "CreationTime": association.created} for association in page]
    return {"AssociationSummaries": summaries, "NextToken": token}


@operation("sagemaker", "DeleteAssociation")
def delete_association(request: Request, context: Context) -> Response:
    source, destination = request["SourceArn"], request["DestinationArn"]
    resources = context.app.resources
    found = resources.by_arn(_name(source, destination))
    if found is None or found.scope != context.scope or not resources.delete(found.arn):
        raise ResourceNotFound(f"Association between source {source} and destination {destination} does not exist.")
    return {"SourceArn": source, "DestinationArn": destination}


def _name(source: str, destination: str) -> str:
    return f"{source} {destination}"


def _end(arn: str, context: Context) -> dict[str, Any]:
    """One end of an association as it is listed: ``Arn``, ``Name`` and ``Type``, which is the entity's own type."""
    entity, kind = find_entity(context, arn)
    name = entity.body.get("ArtifactName") if entity.kind == ARTIFACT.kind else entity.name
    return {"Arn": entity.arn, "Name": name, "Type": kind}
