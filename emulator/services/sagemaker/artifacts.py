"""Artifacts: lineage entities that stand for something with a URI, as a data set (API Reference, CreateArtifact).

An artifact is its source: there is one of each URI with the same source types, whatever it is called, and it can be
deleted by its source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.lineage_entities import ARTIFACT
from emulator.services.sagemaker.lineage_writing import identifier_of
from emulator.services.sagemaker.tracked_lineage import TRACKED, track_ended

if TYPE_CHECKING:
    from emulator.services.context import Context
    from emulator.store.resources import Resource


@operation("sagemaker", "CreateArtifact")
def create_artifact(request: Request, context: Context) -> Response:
    """An artifact that SageMaker made by itself becomes the caller's, with its associations."""
    identifier, resources = identifier_of(request["Source"]), context.app.resources
    with resources.database.transaction():
        found = resources.by_arn(ARTIFACT.arn(context, identifier))
        if found is not None and TRACKED in found.body:
            resources.delete(found.arn)
        return ARTIFACT.create(request, context, identifier)


@operation("sagemaker", "DescribeArtifact")
def describe_artifact(request: Request, context: Context) -> Response:
    return _describe(ARTIFACT.find(context, request["ArtifactArn"]))


@operation("sagemaker", "UpdateArtifact")
def update_artifact(request: Request, context: Context) -> Response:
    artifact = ARTIFACT.find(context, request["ArtifactArn"])
    return ARTIFACT.update(request, context, artifact, ("ArtifactName",))


@operation("sagemaker", "ListArtifacts", blocking=True)
def list_artifacts(request: Request, context: Context) -> Response:
    track_ended(context)
    listed = ARTIFACT.list(request, context)
    for summary in listed["ArtifactSummaries"]:
        _forget_identifier(summary)
    return listed


@operation("sagemaker", "DeleteArtifact")
def delete_artifact(request: Request, context: Context) -> Response:
    arn, source = request.get("ArtifactArn"), request.get("Source")
    if arn is None and source is None:  # sagemaker-core gives both
        raise ValidationException("Either ArtifactArn or Source must be specified.")
    return ARTIFACT.delete(context, ARTIFACT.find(context, arn or identifier_of(source or {})))


def _describe(artifact: Resource) -> Response:
    return _forget_identifier(ARTIFACT.describe(artifact))


def _forget_identifier(description: Response) -> Response:
    """An artifact that was given no name has none."""
    if description["ArtifactName"] == description["ArtifactArn"].rpartition("/")[2]:
        del description["ArtifactName"]
    return description
