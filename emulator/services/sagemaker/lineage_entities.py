"""What actions, artifacts and contexts have in common: the entities of lineage (Developer Guide, "Lineage Tracking").

Each is found by its ARN, has a source, a type and free properties, and takes part in associations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.aws.arns import Arn, sagemaker_arn
from emulator.aws.errors import ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response
from emulator.services.identity import user_context
from emulator.services.sagemaker.paging import paging
from emulator.services.sagemaker.tags import check_new_tags
from emulator.services.sagemaker.trial_components import find_component
from emulator.services.sagemaker_metrics import TRIAL_COMPONENT
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

ASSOCIATION = "lineage-association"
SOURCE_URI = "SourceUri"
"""Member of the stored body: the source's URI, by which entities are listed."""
_CREATED_BY = "CreatedBy"
_MODIFIED_BY = "LastModifiedBy"
MAX_PROPERTIES = 30


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of entity: ``noun`` as the API's members begin (ActionName), ``members`` what is stored of a request."""

    kind: str
    noun: str
    members: tuple[str, ...]

    def arn(self, context: Context, identifier: str) -> str:
        return sagemaker_arn(context.account, context.region, self.kind, identifier)

    def create(self, request: Request, context: Context, identifier: str) -> Response:
        """Store a new entity.

        Raises:
            ValidationException: its name, or of an artifact its source, is taken.
        """
        tags = request.get("Tags") or []
        check_new_tags(tags)
        arn = self.arn(context, identifier)
        body = {member: request[member] for member in self.members if request.get(member) is not None}
        body |= {SOURCE_URI: request["Source"][SOURCE_URI], _CREATED_BY: user_context(context)}
        resources = context.app.resources
        with resources.database.transaction():
            if not resources.insert(Resource(context.scope, self.kind, identifier, arn, body)):
                raise ValidationException(f"{self.noun} {arn} already exists.")
            resources.add_tags(arn, tags)
        return {f"{self.noun}Arn": arn}

    def find(self, context: Context, name_or_arn: str) -> Resource:
        """The entity of that name or ARN.

        Raises:
            ResourceNotFound: the caller has none.
        """
        arn = name_or_arn if name_or_arn.startswith("arn:") else self.arn(context, name_or_arn)
        found = context.app.resources.by_arn(arn)
        if found is None or found.kind != self.kind or found.scope != context.scope:
            raise ResourceNotFound(f"{self.noun} {arn} does not exist.")
        return found

    def describe(self, entity: Resource) -> Response:
        body = {member: value for member, value in entity.body.items() if member != SOURCE_URI}
        return {
            f"{self.noun}Name": entity.name,
            f"{self.noun}Arn": entity.arn,
            "CreationTime": entity.created,
            "LastModifiedTime": entity.modified,
            _MODIFIED_BY: body[_CREATED_BY],
            **body,
        }

    def update(self, request: Request, context: Context, entity: Resource, replaced: Iterable[str]) -> Response:
        """Replace members that the request gives; properties are merged, and those to remove are removed."""

        def change(stored: Resource) -> None:
            stored.body |= {member: request[member] for member in replaced if request.get(member) is not None}
            properties = {**stored.body.get("Properties", {}), **(request.get("Properties") or {})}
            for key in request.get("PropertiesToRemove") or []:
                properties.pop(key, None)
            if len(properties) > MAX_PROPERTIES:
                raise ValidationException(
                    f"{self.noun} {stored.arn} would have {len(properties)} properties; the limit is {MAX_PROPERTIES}."
                )
            stored.body["Properties"] = properties
            stored.body[_MODIFIED_BY] = user_context(context)

        context.app.resources.update(entity.arn, change)
        return {f"{self.noun}Arn": entity.arn}

    def list(self, request: Request, context: Context) -> Response:
        """The summaries, of a source or a type if the request names one."""
        type_member = f"{self.noun}Type"
        wanted = {SOURCE_URI: request.get(SOURCE_URI), type_member: request.get(type_member)}
        members = {member: value for member, value in wanted.items() if value is not None}
        page, token = context.app.resources.page(context.scope, Query(self.kind, members=members, **paging(request)))
        return {f"{self.noun}Summaries": [self.describe(entity) for entity in page], "NextToken": token}

    def delete(self, context: Context, entity: Resource) -> Response:
        """Remove an entity.

        Raises:
            ValidationException: it takes part in associations.
        """
        resources = context.app.resources
        with resources.database.transaction():
            for end in ("SourceArn", "DestinationArn"):
                query = Query(ASSOCIATION, members={end: entity.arn}, max_results=1)
                if resources.page(context.scope, query)[0]:
                    raise ValidationException(
                        f"{self.noun} {entity.arn} cannot be deleted because it has associations."
                        " Delete them first with DeleteAssociation."
                    )
            resources.delete(entity.arn)
        return {f"{self.noun}Arn": entity.arn}


ACTION = Entity(
    "action", "Action", ("Source", "ActionType", "Description", "Status", "Properties", "MetadataProperties")
)
ARTIFACT = Entity(
    "artifact", "Artifact", ("ArtifactName", "Source", "ArtifactType", "Properties", "MetadataProperties")
)
CONTEXT = Entity("context", "Context", ("Source", "ContextType", "Description", "Properties"))


def find_entity(context: Context, arn: str) -> tuple[Resource, str | None]:
    """Any entity by its ARN, with its type; of a trial component that is what it came from.

    Raises:
        ResourceNotFound: there is none.
    """
    kind = Arn.parse(arn).resource_type
    if kind == TRIAL_COMPONENT:
        found = find_component(context, arn)
        return found, (found.body.get("Source") or {}).get("SourceType")
    for entity in (ACTION, ARTIFACT, CONTEXT):
        if entity.kind == kind:
            found = entity.find(context, arn)
            return found, found.body.get(f"{entity.noun}Type")
    raise ResourceNotFound(f"{arn} does not exist.")
