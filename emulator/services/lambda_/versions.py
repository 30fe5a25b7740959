"""Versions, aliases and tags of functions."""

from __future__ import annotations

import uuid
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.lambda_.errors import FunctionConflict, FunctionNotFound, InvalidParameter
from emulator.services.lambda_.functions import check_revision, every_version, publish
from emulator.services.lambda_.names import ALIAS, find_function, find_version, function_arn
from emulator.services.lambda_.polling import KIND as EVENT_SOURCE_MAPPING
from emulator.store.resources import Query, Resource


@operation("lambda", "PublishVersion")
def publish_version(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)
    check_revision(function, request)
    wanted, current = request.get("CodeSha256"), function.body["CodeSha256"]
    if wanted and wanted != current:
        raise InvalidParameter(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with"
            " the CodeSHA256 in $LATEST."
        )
    return publish(function, context, request.get("Description"))


@operation("lambda", "ListVersionsByFunction")
def list_versions_by_function(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)
    return {"Versions": every_version(function, context)}


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
        raise FunctionNotFound(f"Cannot find alias arn: {function.arn}:{request['Name']}")
    return alias


@operation("lambda", "TagResource")
def tag_resource(request: Request, context: Context) -> Response:
    tags = [{"Key": key, "Value": value} for key, value in request["Tags"].items()]
    context.app.resources.add_tags(_tagged(request, context), list(tags))
    return {}


@operation("lambda", "UntagResource")
def untag_resource(request: Request, context: Context) -> Response:
    context.app.resources.delete_tags(_tagged(request, context), request["TagKeys"])
    return {}


@operation("lambda", "ListTags")
def list_tags(request: Request, context: Context) -> Response:
    tags = context.app.resources.tags(_tagged(request, context))
    return {"Tags": {tag["Key"]: tag["Value"] for tag in tags}}


def _tagged(request: Request, context: Context) -> str:
    mapping = context.app.resources.by_arn(request["Resource"])
    if mapping is not None and mapping.kind == EVENT_SOURCE_MAPPING:
        return mapping.arn
    return find_function(request["Resource"], context).arn
