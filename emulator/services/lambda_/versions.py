"""Versions, aliases, permissions and tags of functions."""

from __future__ import annotations

import json
import uuid
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.lambda_.errors import FunctionConflict, FunctionNotFound
from emulator.services.lambda_.functions import POLICY, publish, shown
from emulator.services.lambda_.names import ALIAS, VERSION, find_function, find_version, function_arn
from emulator.store.resources import Query, Resource


@operation("lambda", "PublishVersion")
def publish_version(request: Request, context: Context) -> Response:
    return publish(find_function(request["FunctionName"], context), context)


@operation("lambda", "ListVersionsByFunction")
def list_versions_by_function(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)
    query = Query(VERSION, parent=function.name, descending=False, max_results=10_000)
    versions = context.app.resources.page(function.scope, query)[0]
    return {"Versions": [shown(function, f"{function.arn}:$LATEST"), *map(shown, versions)]}


@operation("lambda", "CreateAlias")
def create_alias(request: Request, context: Context) -> Response:
    name, version = find_version(request["FunctionName"], context, request["FunctionVersion"])
    alias = request["Name"]
    arn = function_arn(name.scope, name.name, alias)
    body = _alias(request, arn, version)
    if not context.app.resources.insert(Resource(name.scope, ALIAS, f"{name.name}:{alias}", arn, body, "", name.name)):
        raise FunctionConflict(f"Alias already exists: {arn}")
    return body


def _alias(request: Request, arn: str, version: Resource) -> dict[str, Any]:
    if (request.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
        raise NotImplementedHere("The emulator does not have RoutingConfig of aliases.")
    return {
        "AliasArn": arn,
        "Name": request["Name"],
        "FunctionVersion": version.body["Version"],
        "Description": request.get("Description", ""),
        "RevisionId": str(uuid.uuid4()),
    }


@operation("lambda", "UpdateAlias")
def update_alias(request: Request, context: Context) -> Response:
    alias = _find_alias(request, context)
    wanted = request.get("FunctionVersion") or alias.body["FunctionVersion"]
    _, version = find_version(request["FunctionName"], context, wanted)

    def change(resource: Resource) -> None:
        resource.body |= _alias({"Description": resource.body["Description"], **request}, resource.arn, version)

    updated = context.app.resources.update(alias.arn, change)
    return updated.body if updated else {}


@operation("lambda", "GetAlias")
def get_alias(request: Request, context: Context) -> Response:
    return _find_alias(request, context).body


@operation("lambda", "DeleteAlias")
def delete_alias(request: Request, context: Context) -> Response:
    context.app.resources.delete(_find_alias(request, context).arn)
    return {}


@operation("lambda", "ListAliases")
def list_aliases(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)
    query = Query(ALIAS, parent=function.name, sort_by="Name", descending=False, max_results=10_000)
    return {"Aliases": [alias.body for alias in context.app.resources.page(function.scope, query)[0]]}


def _find_alias(request: Request, context: Context) -> Resource:
    function = find_function(request["FunctionName"], context)
    alias = context.app.resources.get(function.scope, ALIAS, f"{function.name}:{request['Name']}")
    if alias is None:
        raise FunctionNotFound(f"Alias not found: {function.arn}:{request['Name']}")
    return alias


@operation("lambda", "AddPermission")
def add_permission(request: Request, context: Context) -> Response:
    """Kept and shown; like all policies of resources here, it is not enforced."""
    function = find_function(request["FunctionName"], context)
    principal = request["Principal"]
    conditions: dict[str, Any] = {}
    if request.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": request["SourceArn"]}
    if request.get("SourceAccount"):
        conditions["StringEquals"] = {"AWS:SourceAccount": request["SourceAccount"]}
    statement = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": {"Service": principal} if principal.endswith(".amazonaws.com") else {"AWS": principal},
        "Action": request["Action"],
        "Resource": function.arn,
        **({"Condition": conditions} if conditions else {}),
    }

    def add(resource: Resource) -> None:
        statements = resource.body.setdefault(POLICY, [])
        if any(each["Sid"] == statement["Sid"] for each in statements):
            message = f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement"
            raise FunctionConflict(f"{message} id, or remove the existing statement.")
        statements.append(statement)

    context.app.resources.update(function.arn, add)
    return {"Statement": json.dumps(statement)}


@operation("lambda", "RemovePermission")
def remove_permission(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)

    def remove(resource: Resource) -> None:
        statements = resource.body.get(POLICY, [])
        kept = [each for each in statements if each["Sid"] != request["StatementId"]]
        if len(kept) == len(statements):
            message = f"Statement {request['StatementId']} is not found in resource policy."
            raise FunctionNotFound(message)
        resource.body[POLICY] = kept

    context.app.resources.update(function.arn, remove)
    return {}


@operation("lambda", "GetPolicy")
def get_policy(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)
    statements = function.body.get(POLICY)
    if not statements:
        raise FunctionNotFound("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(document), "RevisionId": function.body["RevisionId"]}


@operation("lambda", "TagResource")
def tag_resource(request: Request, context: Context) -> Response:
    tags = [{"Key": key, "Value": value} for key, value in request["Tags"].items()]
    context.app.resources.add_tags(find_function(request["Resource"], context).arn, list(tags))
    return {}


@operation("lambda", "UntagResource")
def untag_resource(request: Request, context: Context) -> Response:
    context.app.resources.delete_tags(find_function(request["Resource"], context).arn, request["TagKeys"])
    return {}


@operation("lambda", "ListTags")
def list_tags(request: Request, context: Context) -> Response:
    tags = context.app.resources.tags(find_function(request["Resource"], context).arn)
    return {"Tags": {tag["Key"]: tag["Value"] for tag in tags}}
