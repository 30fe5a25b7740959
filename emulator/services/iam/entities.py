"""What all entities of IAM have in common: they are global to an account, have an id, and are listed by path."""

from __future__ import annotations

import base64
import secrets

from emulator.aws.operations import Request
from emulator.services.context import Context
from emulator.store.resources import Query, Resource, Scope

GLOBAL_REGION = "aws-global"
"""Where the resources of services without regions are kept."""


def account_scope(account: str) -> Scope:
    return Scope(account, GLOBAL_REGION)


def entity_id(prefix: str, random: bytes | None = None) -> str:
    """A unique id, such as ``AROA…`` of a role (IAM User Guide, "Unique identifiers"), of at least 11 random bytes."""
    return prefix + base64.b32encode((random or secrets.token_bytes(11))[:11]).decode()[:17]


def page_of(request: Request, context: Context, kind: str) -> tuple[list[Resource], str | None]:
    """A page of the account's entities, of those only that lie below the path of the request, and the next marker."""
    query = Query(
        kind,
        sort_by="Name",
        descending=False,
        max_results=request.get("MaxItems", 100),
        next_token=request.get("Marker"),
    )
    page, marker = context.app.resources.page(account_scope(context.account), query)
    prefix = request.get("PathPrefix", "/")
    return [entity for entity in page if entity.body["Path"].startswith(prefix)], marker
