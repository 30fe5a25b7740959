"""The policies of IAM roles: inline and attached, and what they would allow (SimulatePrincipalPolicy)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from emulator.aws.arns import Arn
from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam.documents import read_policy
from emulator.services.iam.errors import NoSuchEntity
from emulator.services.iam.managed_policies import document_of
from emulator.services.iam.policy_evaluation import Decision, Policy, evaluate, strictest
from emulator.services.iam.roles import change_role, existing_role, find_role

_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@operation("iam", "PutRolePolicy")
def put_role_policy(request: Request, context: Context) -> Response:
    read_policy(request["PolicyDocument"])
    name, document = request["PolicyName"], request["PolicyDocument"]
    change_role(context, request["RoleName"], lambda body: body["InlinePolicies"].update({name: document}))
    return {}


@operation("iam", "GetRolePolicy")
def get_role_policy(request: Request, context: Context) -> Response:
    document = _inline(request, context)
    return {
        "RoleName": request["RoleName"],
        "PolicyName": request["PolicyName"],
        "PolicyDocument": quote(document, safe=""),
    }


@operation("iam", "DeleteRolePolicy")
def delete_role_policy(request: Request, context: Context) -> Response:
    _inline(request, context)
    change_role(context, request["RoleName"], lambda body: body["InlinePolicies"].pop(request["PolicyName"], None))
    return {}


@operation("iam", "ListRolePolicies")
def list_role_policies(request: Request, context: Context) -> Response:
    names = sorted(existing_role(context, request["RoleName"]).inline_policies)
    page, marker = _page(names, request)
    return {"PolicyNames": page, "IsTruncated": marker is not None, "Marker": marker}


@operation("iam", "AttachRolePolicy")
def attach_role_policy(request: Request, context: Context) -> Response:
    arn = request["PolicyArn"]
    if Arn.parse(arn).account != "aws" and document_of(arn, context) is None:
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")

    def attach(body: dict[str, Any]) -> None:
        if arn not in body["AttachedPolicies"]:
            body["AttachedPolicies"].append(arn)

    change_role(context, request["RoleName"], attach)
    return {}


@operation("iam", "DetachRolePolicy")
def detach_role_policy(request: Request, context: Context) -> Response:
    arn = request["PolicyArn"]
    if arn not in existing_role(context, request["RoleName"]).attached_policies:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    change_role(context, request["RoleName"], lambda body: body["AttachedPolicies"].remove(arn))
    return {}


@operation("iam", "ListAttachedRolePolicies")
def list_attached_role_policies(request: Request, context: Context) -> Response:
    arns = existing_role(context, request["RoleName"]).attached_policies
    page, marker = _page(sorted(arns), request)
    policies = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in page]
    return {"AttachedPolicies": policies, "IsTruncated": marker is not None, "Marker": marker}


@operation("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(request: Request, context: Context) -> Response:
    """What a principal's policies would allow: one result per action, details per resource."""
    if "ResourcePolicy" in request:
        raise NotImplementedHere("SimulatePrincipalPolicy: ResourcePolicy is not simulated by this emulator")
    policies = _policies_of(request["PolicySourceArn"], context)
    policies += [
        Policy(f"PolicyInputList.{number}", read_policy(text))
        for number, text in enumerate(request.get("PolicyInputList", []), 1)
    ]
    boundary = [
        Policy(f"PermissionsBoundaryPolicyInputList.{number}", read_policy(text))
        for number, text in enumerate(request.get("PermissionsBoundaryPolicyInputList", []), 1)
    ]
    entries = request.get("ContextEntries", [])
    values = {entry.get("ContextKeyName", "").lower(): entry.get("ContextKeyValues", []) for entry in entries}
    resources = request.get("ResourceArns", ["*"])
    results = []
    for action in request["ActionNames"]:
        decisions = [_decide(policies, boundary, action, resource, values) for resource in resources]
        results.append(_evaluation(action, resources, decisions, detailed="ResourceArns" in request))
    return {"EvaluationResults": results, "IsTruncated": False}


def _decide(
    policies: list[Policy], boundary: list[Policy], action: str, resource: str, values: dict[str, list[str]]
) -> Decision:
    decision = evaluate(policies, action, resource, values)
    if not boundary or decision.outcome != "allowed":
        return decision
    limited = evaluate(boundary, action, resource, values)
    return decision if limited.outcome == "allowed" else limited


def _evaluation(action: str, resources: list[str], decisions: list[Decision], *, detailed: bool) -> dict[str, Any]:
    decision = strictest(decisions)
    result: dict[str, Any] = {"EvalActionName": action, "EvalResourceName": resources[0], **_verdict(decision)}
    if detailed:
        result["EvalDecisionDetails"] = {}
        result["ResourceSpecificResults"] = [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": each.outcome,
                "MatchedStatements": _verdict(each)["MatchedStatements"],
                "MissingContextValues": each.missing,
            }
            for resource, each in zip(resources, decisions, strict=True)
        ]
    return result


def _verdict(decision: Decision) -> dict[str, Any]:
    statements = [{"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name in decision.matched]
    return {"EvalDecision": decision.outcome, "MatchedStatements": statements, "MissingContextValues": decision.missing}


def _policies_of(arn: str, context: Context) -> list[Policy]:
    """The policies of a role; the root user and implicit roles may do everything.

    The documents of AWS-managed policies are not here: a role that has one attached may do everything, too.
    """
    principal = Arn.parse(arn)
    if not principal.resource.startswith("role/"):
        if principal.resource.startswith(("user/", "group/")):
            kind, name = principal.resource.split("/")[0], principal.resource.rpartition("/")[2]
            raise NoSuchEntity(f"The {kind} with name {name} cannot be found.")
        return [Policy("root", _EVERYTHING)]
    name = principal.resource.rpartition("/")[2]
    role = find_role(context, name, account=principal.account)
    if role is None:
        raise NoSuchEntity(f"The role with name {name} cannot be found.")
    inline = role.inline_policies.items()
    policies = [Policy(f"role_{name}_{policy}", read_policy(text)) for policy, text in inline]
    policies += [_attached(arn, context) for arn in role.attached_policies]
    return policies + ([Policy("implicit", _EVERYTHING)] if role.implicit else [])


def _attached(arn: str, context: Context) -> Policy:
    text = document_of(arn, context)
    return Policy(arn.rpartition("/")[2], _EVERYTHING if text is None else read_policy(text))


def _inline(request: Request, context: Context) -> str:
    document = existing_role(context, request["RoleName"]).inline_policies.get(request["PolicyName"])
    if document is None:
        raise NoSuchEntity(f"The role policy with name {request['PolicyName']} cannot be found.")
    return document


def _page(items: list[str], request: Request) -> tuple[list[str], str | None]:
    """A page of a sorted list; the marker is the last item of the page before."""
    start, count = request.get("Marker", ""), request.get("MaxItems", 100)
    if start and start not in items:
        raise AwsError("Invalid Marker.", code="InvalidInput")
    rest = [item for item in items if item > start]
    return rest[:count], rest[count - 1] if len(rest) > count else None
