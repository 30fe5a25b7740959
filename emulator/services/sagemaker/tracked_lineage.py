"""Lineage that SageMaker makes by itself, of jobs that have ended and of model packages (Developer Guide, "Amazon
SageMaker AI-Created Tracking Entities").

What is to be tracked is noted with the job or the package, in its transaction, and written when lineage is next
asked for: so it costs jobs nothing, and a crash loses nothing. Names and types are those that AWS's own sample
notebooks show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.services.identity import user_context
from emulator.services.sagemaker.job_components import UNTRACKED, component_of, describe_source
from emulator.services.sagemaker.lineage_entities import ACTION, ARTIFACT, CONTEXT, SOURCE_URI, Entity
from emulator.services.sagemaker.lineage_writing import associate, identifier_of
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

TRACKED = "Tracked"
"""Member of an artifact's body: 1 where nobody but SageMaker has named it."""
_TYPES = {"SageMaker.ImageUri": "Image", "SageMaker.ModelArtifact": "Model"}
"""Types of the artifacts of jobs by their names; any other is a data set."""
_FINISHED = ("Completed", "Failed", "Stopped")
_PACKAGE = "model-package"


def track_ended(context: Context) -> None:
    """Write what there is to be told of jobs that have ended, and of packages, since the last time."""
    resources = context.app.resources
    for note in list(resources.walk(context.scope, Query(UNTRACKED, descending=False))):
        with resources.database.transaction():
            subject = resources.by_arn(note.name)
            if subject is None or _track(context, subject):
                resources.delete(note.arn)


def _track(context: Context, subject: Resource) -> bool:
    """False if it is too early."""
    if subject.kind == _PACKAGE:
        _track_package(context, subject)
        return True
    if subject.status in _FINISHED:
        _track_job(context, subject)
    return subject.status in _FINISHED


def _track_job(context: Context, job: Resource) -> None:
    component = component_of(context, job)
    if component is None:
        return
    told = describe_source(context, component)
    for name, artifact in told["InputArtifacts"].items():
        source = _artifact(context, artifact["Value"], _TYPES.get(name, "DataSet"), job.created)
        associate(context, source, component.arn, "ContributedTo")
    for name, artifact in told["OutputArtifacts"].items() if job.status == "Completed" else ():
        product = _artifact(context, artifact["Value"], _TYPES.get(name, "DataSet"), job.modified)
        associate(context, component.arn, product, "Produced")


def _track_package(context: Context, package: Resource) -> None:
    """The package as an artifact; what its containers run and load, its approval and its group about it."""
    moment, seconds = package.created, int(package.created)
    artifact = _artifact(context, package.arn, "Model", moment)
    for container in (package.body.get("InferenceSpecification") or {}).get("Containers") or []:
        for uri, kind in ((container.get("Image"), "Image"), (container.get("ModelDataUrl"), "Model")):
            if uri:
                associate(context, _artifact(context, uri, kind, moment), artifact, "ContributedTo")
    if not package.parent:
        return
    status = package.body["ModelApprovalStatus"]
    name = f"{package.name.replace('/', '-')}-{status}-{seconds}-aws-model-package"
    about = {"ActionType": "Approval", "Status": status, "Source": {SOURCE_URI: package.arn}}
    associate(context, _entity(context, ACTION, name, about, moment), artifact, "ContributedTo")
    group = context.app.resources.get(context.scope, "model-package-group", package.parent)
    if group is not None:
        name = f"{group.name}-{int(group.created)}-aws-model-package-group"
        about = {"ContextType": "ModelGroup", "Source": {SOURCE_URI: group.arn}}
        associate(context, artifact, _entity(context, CONTEXT, name, about, group.created), "AssociatedWith")


def _artifact(context: Context, uri: str, kind: str, moment: float) -> str:
    source = {SOURCE_URI: uri}
    body = {"ArtifactType": kind, "Source": source, TRACKED: 1}
    return _entity(context, ARTIFACT, identifier_of(source), body, moment)


def _entity(context: Context, entity: Entity, name: str, body: dict[str, Any], moment: float) -> str:
    """The ARN of the entity of that name, which stays as it is if it is there."""
    arn = entity.arn(context, name)
    stored = {**body, SOURCE_URI: body["Source"][SOURCE_URI], "CreatedBy": user_context(context)}
    context.app.resources.insert(Resource(context.scope, entity.kind, name, arn, stored, created=moment))
    return arn
