"""IAM roles: global to an account, with inline policies and attached managed ones.

Nothing is enforced: policies are kept, returned and simulated. Unless ``implicit_roles`` is switched off, a role that
was never created exists all the same, trusts SageMaker and may do everything, so that any role ARN can be used.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.store.resources import Query, Resource, Scope

GLOBAL_REGION = "aws-global"
"""Where the resources of services without regions are kept."""
KIND = "role"

_IMPLICIT_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
IMPLICIT_CREATED = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


class NoSuchEntity(AwsError):
    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExists(AwsError):
    code = "EntityAlreadyExists"
    status = 409


class DeleteConflict(AwsError):
    code = "DeleteConflict"
    status = 409


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
    scope = Scope(account or context.account, GLOBAL_REGION)
    found = context.app.resources.get(scope, KIND, name.lower())
    if found is None and context.app.settings.implicit_roles:
        found = _implicit(context, scope, name)
    return Role(found) if found else None


@operation("iam", "CreateRole")
def create_role(request: Request, context: Context) -> Response:
    document = request["AssumeRolePolicyDocument"]
    check_policy(document)
    body = {
        "RoleName": request["RoleName"],
        "Path": request.get("Path", "/"),
        "RoleId": "AROA" + base64.b32encode(secrets.token_bytes(11)).decode()[:17],
        "AssumeRolePolicyDocument": document,
        "Description": request.get("Description"),
        "MaxSessionDuration": request.get("MaxSessionDuration", 3600),
        "PermissionsBoundary": request.get("PermissionsBoundary"),
    }
    role = _role_row(context, Scope(context.account, GLOBAL_REGION), body)
    with context.app.resources.database.transaction():
        if not context.app.resources.insert(role):
            raise EntityAlreadyExists(f"Role with name {request['RoleName']} already exists.")
        context.app.resources.add_tags(role.arn, request.get("Tags", []))
    return {"Role": _describe(role, context)}


@operation("iam", "GetRole")
def get_role(request: Request, context: Context) -> Response:
    role = _existing(context, request["RoleName"])
    return {"Role": _describe(role.resource, context) | {"RoleLastUsed": {}}}


@operation("iam", "ListRoles")
def list_roles(request: Request, context: Context) -> Response:
    query = Query(
        KIND,
        sort_by="Name",
        descending=False,
        max_results=request.get("MaxItems", 100),
        next_token=request.get("Marker"),
    )
    page, marker = context.app.resources.page(Scope(context.account, GLOBAL_REGION), query)
    prefix = request.get("PathPrefix", "/")
    roles = [_describe(role, context) for role in page if role.body["Path"].startswith(prefix)]
    return {"Roles": roles, "IsTruncated": marker is not None, "Marker": marker}


@operation("iam", "DeleteRole")
def delete_role(request: Request, context: Context) -> Response:
    role = _existing(context, request["RoleName"])
    if role.attached_policies:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if role.inline_policies:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    context.app.resources.delete(role.arn)
    return {}


@operation("iam", "UpdateAssumeRolePolicy")
def update_assume_role_policy(request: Request, context: Context) -> Response:
    check_policy(request["PolicyDocument"])
    document = {"AssumeRolePolicyDocument": request["PolicyDocument"]}
    change_role(context, request["RoleName"], lambda body: body.update(document))
    return {}


def change_role(context: Context, name: str, change: Any) -> None:
    """Change a role's body; an implicit role is written down first.

    Raises:
        NoSuchEntity: there is no such role.
    """
    resources = context.app.resources
    with resources.database.transaction():
        role = _existing(context, name)
        if role.resource.id == 0:
            resources.insert(role.resource)
        resources.update(role.arn, lambda resource: change(resource.body))


def check_policy(document: str) -> None:
    """Refuse what IAM would not even store.

    Raises:
        AwsError: MalformedPolicyDocument.
    """
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise AwsError("This policy contains invalid Json", code="MalformedPolicyDocument") from error
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not all(
        isinstance(each, dict) and each.get("Effect") in ("Allow", "Deny") for each in statements
    ):
        raise AwsError("Syntax errors in policy.", code="MalformedPolicyDocument")


def existing_role(context: Context, name: str) -> Role:
    """The role of that name.

    Raises:
        NoSuchEntity: there is none.
    """
    return _existing(context, name)


def roles_of(context: Context) -> Iterator[Role]:
    """The roles that were created in the caller's account."""
    return map(Role, context.app.resources.walk(Scope(context.account, GLOBAL_REGION), Query(KIND)))


def _existing(context: Context, name: str) -> Role:
    role = find_role(context, name)
    if role is None:
        raise NoSuchEntity(f"The role with name {name} cannot be found.")
    return role


def _implicit(context: Context, scope: Scope, name: str) -> Resource:
    digest = hashlib.sha256(f"{scope.account}/{name.lower()}".encode()).digest()
    body = {
        "RoleName": name,
        "Path": "/",
        "RoleId": "AROA" + base64.b32encode(digest).decode()[:17],
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
