"""How artifacts and associations are written, whoever writes them: a request, or what tracks jobs and packages."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from emulator.services.identity import user_context
from emulator.services.sagemaker.lineage_entities import ARTIFACT, ASSOCIATION, find_entity
from emulator.store.resources import Resource

if TYPE_CHECKING:
    from emulator.services.context import Context


def identifier_of(source: dict[str, Any]) -> str:
    """The last part of an artifact's ARN: 32 hexadecimal digits, the same for the same source."""
    types = sorted((one["SourceIdType"], one["Value"]) for one in source.get("SourceTypes") or [])
    return hashlib.sha256(json.dumps([source["SourceUri"], types]).encode()).hexdigest()[:32]


def associate(context: Context, source: str, destination: str, kind: str | None) -> tuple[str, str, bool]:
    """Store an association between two entities, by their ARNs: these as they are stored, and whether it is new.

    Raises:
        ResourceNotFound: one of the ends is not there.
    """
    one, other = _end(source, context), _end(destination, context)
    body = {f"Source{member}": value for member, value in one.items()}
    body |= {f"Destination{member}": value for member, value in other.items()}
    body |= {"AssociationType": kind, "CreatedBy": user_context(context)}
    name = association_arn(one["Arn"], other["Arn"])
    is_new = context.app.resources.insert(Resource(context.scope, ASSOCIATION, name, name, body))
    return one["Arn"], other["Arn"], is_new


def association_arn(source: str, destination: str) -> str:
    """What a stored association is named after."""
    return f"{source} {destination}"


def _end(arn: str, context: Context) -> dict[str, Any]:
    """One end of an association as it is listed: ``Arn``, ``Name`` and ``Type``, which is the entity's own type."""
    entity, kind = find_entity(context, arn)
    name = entity.body.get("ArtifactName") if entity.kind == ARTIFACT.kind else entity.name
    return {"Arn": entity.arn, "Name": name, "Type": kind}
