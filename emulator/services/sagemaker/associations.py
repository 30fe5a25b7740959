"""Associations: directed edges between lineage entities (API Reference, AddAssociation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.aws.errors import NotImplementedHere, ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.lineage_entities import ASSOCIATION
from emulator.services.sagemaker.lineage_writing import associate, association_arn
from emulator.services.sagemaker.paging import paging
from emulator.services.sagemaker.tracked_lineage import track_ended
from emulator.store.resources import Query

if TYPE_CHECKING:
    from emulator.services.context import Context

_FILTERS = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
_SORTS = {"CreationTime": "CreationTime", "SourceArn": "Name"}
"""What can be sorted by; a stored association is named after its source and destination."""


@operation("sagemaker", "AddAssociation")
def add_association(request: Request, context: Context) -> Response:
    if request["SourceArn"].lower() == request["DestinationArn"].lower():
        raise ValidationException("SourceArn and DestinationArn must differ.")
    source, destination = request["SourceArn"], request["DestinationArn"]
    source, destination, is_new = associate(context, source, destination, request.get("AssociationType"))
    if not is_new:
        raise ValidationException(f"Association between source {source} and destination {destination} already exists.")
    return {"SourceArn": source, "DestinationArn": destination}


@operation("sagemaker", "ListAssociations", blocking=True)
def list_associations(request: Request, context: Context) -> Response:
    sort_by = request.get("SortBy", "CreationTime")
    if sort_by not in _SORTS:
        raise NotImplementedHere(f"ListAssociations sorted by {sort_by} is not implemented in this emulator yet.")
    track_ended(context)
    members = {member: request[member] for member in _FILTERS if request.get(member) is not None}
    query = Query(ASSOCIATION, members=members, **paging({**request, "SortBy": _SORTS[sort_by]}))
    page, token = context.app.resources.page(context.scope, query)
    summaries = [{**association.body, "CreationTime": association.created} for association in page]
    return {"AssociationSummaries": summaries, "NextToken": token}


@operation("sagemaker", "DeleteAssociation")
def delete_association(request: Request, context: Context) -> Response:
    source, destination = request["SourceArn"], request["DestinationArn"]
    resources = context.app.resources
    found = resources.by_arn(association_arn(source, destination))
    if found is None or found.scope != context.scope or not resources.delete(found.arn):
        raise ResourceNotFound(f"Association between source {source} and destination {destination} does not exist.")
    return {"SourceArn": source, "DestinationArn": destination}
