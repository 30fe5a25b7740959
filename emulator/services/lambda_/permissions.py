"""Permissions: the statements of a function's own policy (API Reference, AddPermission).

A function has one policy, each of its versions and aliases another: a statement's ``Resource`` says whose it is. They
are kept and shown; like all policies of resources here, they are not enforced.
"""

from __future__ import annotations

import json
import re
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.lambda_.errors import FunctionConflict, FunctionNotFound, InvalidParameter
from emulator.services.lambda_.names import LATEST, find_function, find_version, function_arn
from emulator.store.resources import Resource

_POLICY = "_Policy"
_ACCOUNT = re.compile(r"\d{12}")


@operation("lambda", "AddPermission")
def add_permission(request: Request, context: Context) -> Response:
    function, arn = _subject(request, context)
    if arn.endswith(f":{LATEST}"):
        raise InvalidParameter("We currently do not support adding policies for $LATEST.")
    statement = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(request["Principal"], arn.split(":")[1]),
        "Action": request["Action"],
        "Resource": arn,
        **_conditions(request),
    }

    def add(resource: Resource) -> None:
        statements = resource.body.setdefault(_POLICY, [])
        if any(each["Sid"] == statement["Sid"] and each["Resource"] == arn for each in statements):
            message = f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement"
            raise FunctionConflict(f"{message} id, or remove the existing statement.")
        statements.append(statement)

    context.app.resources.update(function.arn, add)
    return {"Statement": json.dumps(statement)}


def _subject(request: Request, context: Context) -> tuple[Resource, str]:
    """The function, and the ARN of what the policy is for."""
    name, _ = find_version(request["FunctionName"], context, request.get("Qualifier"))
    return find_function(request["FunctionName"], context), function_arn(name.scope, name.name, name.qualifier)


def _principal(principal: str, partition: str) -> Any:
    if principal == "*":
        return "*"
    if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return {"Service": principal}
    return {"AWS": f"arn:{partition}:iam::{principal}:root" if _ACCOUNT.fullmatch(principal) else principal}


def _conditions(request: Request) -> dict[str, Any]:
    equal = {
        "AWS:SourceAccount": request.get("SourceAccount"),
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": request.get("FunctionUrlAuthType"),
    }
    given = {key: value for key, value in equal.items() if value}
    conditions = {"StringEquals": given} if given else {}
    if request.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    return {"Condition": conditions} if conditions else {}


@operation("lambda", "RemovePermission")
def remove_permission(request: Request, context: Context) -> Response:
    function, arn = _subject(request, context)

    def remove(resource: Resource) -> None:
        statements = resource.body.get(_POLICY, [])
        if not any(each["Resource"] == arn for each in statements):
            raise FunctionNotFound("No policy is associated with the given resource.")
        wanted = [each for each in statements if each["Sid"] == request["StatementId"] and each["Resource"] == arn]
        if not wanted:
            raise FunctionNotFound(f"Statement {request['StatementId']} is not found in resource policy.")
        resource.body[_POLICY] = [each for each in statements if each not in wanted]

    context.app.resources.update(function.arn, remove)
    return {}


@operation("lambda", "GetPolicy")
def get_policy(request: Request, context: Context) -> Response:
    function, arn = _subject(request, context)
    statements = [each for each in function.body.get(_POLICY, []) if each["Resource"] == arn]
    if not statements:
        raise FunctionNotFound("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(document), "RevisionId": function.body["RevisionId"]}
