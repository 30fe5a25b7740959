"""IAM policies that customers manage: with up to five versions, of which one counts, attached to any number of roles.

Source: IAM User Guide, "Versioning IAM policies". The policies that AWS manages can be attached, but their documents
are not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam.documents import read_policy
from emulator.services.iam.entities import account_scope, entity_id, page_of
from emulator.services.iam.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from emulator.services.iam.roles import roles_of
from emulator.store.resources import Resource

KIND = "iam-policy"
MAX_VERSIONS = 5
_DEFAULT = "DefaultVersionId"
_VERSIONS = "Versions"
"""Member of the stored body: ``{"v1": {"Document": …, "CreateDate": Unix seconds}}``."""
_LAST = "LastVersion"


@operation("iam", "CreatePolicy")
def create_policy(request: Request, context: Context) -> Response:
    read_policy(request["PolicyDocument"])
    name, path = request["PolicyName"], request.get("Path", "/")
    arn = str(Arn(partition_of(context.region), "iam", "", context.account, f"policy{path}{name}"))
    body = {
        "PolicyId": entity_id("ANPA"),
        "Path": path,
        "Description": request.get("Description"),
        _DEFAULT: "v1",
        _LAST: 1,
        _VERSIONS: {"v1": _version(request["PolicyDocument"])},
    }
    resources = context.app.resources
    with resources.database.transaction():
        if not resources.insert(policy := Resource(account_scope(context.account), KIND, name, arn, body)):
            raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
        resources.add_tags(arn, request.get("Tags") or [])
    return {"Policy": _describe(policy, context)}


@operation("iam", "GetPolicy")
def get_policy(request: Request, context: Context) -> Response:
    return {"Policy": _describe(_find(request["PolicyArn"], context), context)}


@operation("iam", "ListPolicies")
def list_policies(request: Request, context: Context) -> Response:
    """Those of the account; the policies that AWS manages are not listed."""
    if request.get("Scope") == "AWS":
        raise NotImplementedHere("ListPolicies with Scope AWS: this emulator has no list of the policies AWS manages.")
    page, marker = page_of(request, context, KIND)
    found = [_describe(policy, context) for policy in page]
    if request.get("OnlyAttached"):
        found = [policy for policy in found if policy["AttachmentCount"]]
    return {"Policies": found, "IsTruncated": marker is not None, "Marker": marker}


@operation("iam", "DeletePolicy")
def delete_policy(request: Request, context: Context) -> Response:
    policy = _find(request["PolicyArn"], context)
    if _attachments(policy.arn, context):
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(policy.body[_VERSIONS]) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
            " The default version is deleted with the policy."
        )
    context.app.resources.delete(policy.arn)
    return {}


@operation("iam", "CreatePolicyVersion")
def create_policy_version(request: Request, context: Context) -> Response:
    read_policy(request["PolicyDocument"])

    def change(stored: Resource) -> None:
        body = stored.body
        if len(body[_VERSIONS]) >= MAX_VERSIONS:
            raise LimitExceeded(
                f"A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new version, you must"
                " delete an existing version."
            )
        body[_LAST] += 1
        body[_VERSIONS][f"v{body[_LAST]}"] = _version(request["PolicyDocument"])
        if request.get("SetAsDefault"):
            body[_DEFAULT] = f"v{body[_LAST]}"

    policy = _change(request, context, change)
    return {"PolicyVersion": _describe_version(policy, f"v{policy.body[_LAST]}")}


@operation("iam", "GetPolicyVersion")
def get_policy_version(request: Request, context: Context) -> Response:
    policy = _find(request["PolicyArn"], context)
    version = _known_version(policy, request["VersionId"])
    document = policy.body[_VERSIONS][version]["Document"]
    return {"PolicyVersion": {**_describe_version(policy, version), "Document": quote(document, safe="")}}


@operation("iam", "ListPolicyVersions")
def list_policy_versions(request: Request, context: Context) -> Response:
    """All at once, newest first: there are never more than a page has room for."""
    policy = _find(request["PolicyArn"], context)
    newest_first = sorted(policy.body[_VERSIONS], key=lambda version: -int(version[1:]))
    return {"Versions": [_describe_version(policy, version) for version in newest_first], "IsTruncated": False}


@operation("iam", "SetDefaultPolicyVersion")
def set_default_policy_version(request: Request, context: Context) -> Response:
    def change(stored: Resource) -> None:
        stored.body[_DEFAULT] = _known_version(stored, request["VersionId"])

    _change(request, context, change)
    return {}


@operation("iam", "DeletePolicyVersion")
def delete_policy_version(request: Request, context: Context) -> Response:
    def change(stored: Resource) -> None:
        version = _known_version(stored, request["VersionId"])
        if version == stored.body[_DEFAULT]:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        del stored.body[_VERSIONS][version]

    _change(request, context, change)
    return {}


def document_of(arn: str, context: Context) -> str | None:
    """The document that counts of a policy of the caller's account; None if there is no such policy."""
    policy = _of_account(arn, context)
    if policy is None:
        return None
    document: str = policy.body[_VERSIONS][policy.body[_DEFAULT]]["Document"]
    return document


def _find(arn: str, context: Context) -> Resource:
    if Arn.parse(arn).account == "aws":
        raise NotImplementedHere(f"{arn}: the policies that AWS manages can be attached here, but not read.")
    policy = _of_account(arn, context)
    if policy is None:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    return policy


def _of_account(arn: str, context: Context) -> Resource | None:
    policy = context.app.resources.by_arn(arn)
    return policy if policy and policy.kind == KIND and policy.scope == account_scope(context.account) else None


def _change(request: Request, context: Context, change: Callable[[Resource], None]) -> Resource:
    changed = context.app.resources.update(_find(request["PolicyArn"], context).arn, change)
    assert changed is not None
    return changed


def _known_version(policy: Resource, version: str) -> str:
    if version not in policy.body[_VERSIONS]:
        raise NoSuchEntity(f"Policy {policy.arn} version {version} does not exist or is not attachable.")
    return version


def _describe(policy: Resource, context: Context) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.body["PolicyId"],
        "Arn": policy.arn,
        "Path": policy.body["Path"],
        _DEFAULT: policy.body[_DEFAULT],
        "AttachmentCount": _attachments(policy.arn, context),
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "Description": policy.body["Description"],
        "CreateDate": datetime.fromtimestamp(policy.created, UTC),
        "UpdateDate": datetime.fromtimestamp(policy.modified, UTC),
        "Tags": context.app.resources.tags(policy.arn),
    }


def _describe_version(policy: Resource, version: str) -> dict[str, Any]:
    created = datetime.fromtimestamp(policy.body[_VERSIONS][version]["CreateDate"], UTC)
    return {"VersionId": version, "IsDefaultVersion": version == policy.body[_DEFAULT], "CreateDate": created}


def _attachments(arn: str, context: Context) -> int:
    return sum(arn in role.attached_policies for role in roles_of(context))


def _version(document: str) -> dict[str, Any]:
    return {"Document": document, "CreateDate": time.time()}
