"""IAM roles, with inline policies and attached managed ones.

Unless ``implicit_roles`` is switched off, a role that was never created exists all the same, trusts SageMaker and may
do everything, so that any role ARN can be used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emulator.aws.arns import Arn, partition_of
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam.documents import read_policy
from emulator.services.iam.entities import account_scope, entity_id, page_of
from emulator.services.iam.errors import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from emulator.store.resources import Query, Resource, Scope

KIND = "role"

_IMPLICIT_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
IMPLICIT_CREATED = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Role:
    """A role's row, with names for what others ask of it."""

    resource: Resource

    @property
    def arn(self) -> str:
        return self.resource.arn

    @property
    def role_id(self) -> str:
        return str(self.resource.body["RoleId"])

    @property
    def implicit(self) -> bool:
        """It was never created and may do everything."""
        return bool(self.resource.body.get("Implicit"))

    @property
    def inline_policies(self) -> dict[str, str]:
        policies: dict[str, str] = self.resource.body["InlinePolicies"]
        return policies

    @property
    def attached_policies(self) -> list[str]:
        arns: list[str] = self.resource.body["AttachedPolicies"]
        return arns


def find_role(context: Context, name: str, *, account: str = "") -> Role | None:
    """The role of an account (default: the caller's), created or implicit; None if there is none."""
    scope = account_scope(account or context.account)
    found = context.app.resources.get(scope, KIND, name.lower())
    if found is None and context.app.settings.implicit_roles:
        found = _implicit(context, scope, name)
    return Role(found) if found else None


@operation("iam", "CreateRole")
def create_role(request: Request, context: Context) -> Response:
    document = request["AssumeRolePolicyDocument"]
    read_policy(document)
    body = {
        "RoleName": request["RoleName"],
        "Path": request.get("Path", "/"),
        "RoleId": entity_id("AROA"),
        "AssumeRolePolicyDocument": document,
        "Description": request.get("Description"),
        "MaxSessionDuration": request.get("MaxSessionDuration", 3600),
        "PermissionsBoundary": request.get("PermissionsBoundary"),
    }
    role = _role_row(context, account_scope(context.account), body)
    with context.app.resources.database.transaction():
        if not context.app.resources.insert(role):
            raise EntityAlreadyExists(f"Role with name {request['RoleName']} already exists.")
        context.app.resources.add_tags(role.arn, request.get("Tags", []))
    return {"Role": _describe(role, context)}


@operation("iam", "GetRole")
def get_role(request: Request, context: Context) -> Response:
    role = existing_role(context, request["RoleName"])
    return {"Role": _describe(role.resource, context) | {"RoleLastUsed": {}}}


@operation("iam", "ListRoles")
def list_roles(request: Request, context: Context) -> Response:
    page, marker = page_of(request, context, KIND)
    roles = [_describe(role, context) for role in page]
    return {"Roles": roles, "IsTruncated": marker is not None, "Marker": marker}


@operation("iam", "DeleteRole")
def delete_role(request: Request, context: Context) -> Response:
    role = existing_role(context, request["RoleName"])
    if role.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if role.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    context.app.resources.delete(role.arn)
    return {}


@operation("iam", "UpdateAssumeRolePolicy")
def update_assume_role_policy(request: Request, context: Context) -> Response:
    read_policy(request["PolicyDocument"])
    document = {"AssumeRolePolicyDocument": request["PolicyDocument"]}
    change_role(context, request["RoleName"], lambda body: body.update(document))
    return {}


def change_role(context: Context, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a role's body; an implicit role is written down first.

    Raises:
        NoSuchEntity: there is no such role.
    """
    resources = context.app.resources
    with resources.database.transaction():
        role = existing_role(context, name)
        if role.resource.id == 0:
            resources.insert(role.resource)

        def apply(stored: Resource) -> None:
            change(stored.body)

        resources.update(role.arn, apply)


def existing_role(context: Context, name: str) -> Role:
    """The role of that name.

    Raises:
        NoSuchEntity: there is none.
    """
    role = find_role(context, name)
    if role is None:
        raise NoSuchEntity(f"The role with name {name} cannot be found.")
    return role


def roles_of(context: Context) -> Iterator[Role]:
    """The roles that were created in the caller's account."""
    return map(Role, context.app.resources.walk(account_scope(context.account), Query(KIND)))


def _implicit(context: Context, scope: Scope, name: str) -> Resource:
    digest = hashlib.sha256(f"{scope.account}/{name.lower()}".encode()).digest()
    body = {
        "RoleName": name,
        "Path": "/",
        "RoleId": entity_id("AROA", digest),
        "AssumeRolePolicyDocument": json.dumps(_IMPLICIT_TRUST),
        "Description": "Exists without having been created (EMULATOR_IMPLICIT_ROLES)",
        "MaxSessionDuration": 43_200,
        "Implicit": True,
    }
    role = _role_row(context, scope, body)
    role.created = role.modified = IMPLICIT_CREATED
    return role


def _role_row(context: Context, scope: Scope, body: dict[str, Any]) -> Resource:
    body |= {"InlinePolicies": {}, "AttachedPolicies": []}
    path = f"role{body['Path']}{body['RoleName']}"
    arn = Arn(partition_of(context.region), "iam", "", scope.account, path)
    return Resource(scope, KIND, body["RoleName"].lower(), str(arn), body)


def _describe(role: Resource, context: Context) -> dict[str, Any]:
    body = role.body
    boundary = body.get("PermissionsBoundary")
    return {
        "Path": body["Path"],
        "RoleName": body["RoleName"],
        "RoleId": body["RoleId"],
        "Arn": role.arn,
        "CreateDate": datetime.fromtimestamp(int(role.created), UTC),
        "AssumeRolePolicyDocument": quote(body["AssumeRolePolicyDocument"], safe=""),
        "Description": body.get("Description"),
        "MaxSessionDuration": body["MaxSessionDuration"],
        "PermissionsBoundary": boundary and {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary},
        "Tags": context.app.resources.tags(role.arn) or None,
    }
