"""Artifacts: lineage entities that stand for something with a URI, as a data set (API Reference, CreateArtifact).

An artifact is its source: there is one of each URI with the same source types, whatever it is called, and it can be
deleted by its source.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.lineage_entities import ARTIFACT

if TYPE_CHECKING:
    from emulator.services.context import Context
    from emulator.store.resources import Resource


@operation("sagemaker", "CreateArtifact")
def create_artifact(request: Request, context: Context) -> Response:
    return ARTIFACT.create(request, context, identifier_of(request["Source"]))


@operation("sagemaker", "DescribeArtifact")
def describe_artifact(request: Request, context: Context) -> Response:
    return _describe(ARTIFACT.find(context, request["ArtifactArn"]))


@operation("sagemaker", "UpdateArtifact")
def update_artifact(request: Request, context: Context) -> Response:
    artifact = ARTIFACT.find(context, request["ArtifactArn"])
    return ARTIFACT.update(request, context, artifact, ("ArtifactName",))


@operation("sagemaker", "ListArtifacts")
def list_artifacts(request: Request, context: Context) -> Response:
    listed = ARTIFACT.list(request, context)
    for summary in listed["ArtifactSummaries"]:
        _forget_identifier(summary)
    return listed


@operation("sagemaker", "DeleteArtifact")
def delete_artifact(request: Request, context: Context) -> Response:
    arn, source = request.get("ArtifactArn"), request.get("Source")
    if (arn is None) == (source is None):
        raise ValidationException("Either ArtifactArn or Source must be specified.")
    return ARTIFACT.delete(context, ARTIFACT.find(context, arn or identifier_of(source or {})))


def identifier_of(source: dict[str, Any]) -> str:
    """The last part of an artifact's ARN: 32 hexadecimal digits, the same for the same source."""
    types = sorted((one["SourceIdType"], one["Value"]) for one in source.get("SourceTypes") or [])
    return hashlib.sha256(json.dumps([source["SourceUri"], types]).encode()).hexdigest()[:32]


def _describe(artifact: Resource) -> Response:
    return _forget_identifier(ARTIFACT.describe(artifact))


def _forget_identifier(description: Response) -> Response:
    """An artifact that was given no name has none."""
    if description["ArtifactName"] == description["ArtifactArn"].rpartition("/")[2]:
        del description["ArtifactName"]
    return description
