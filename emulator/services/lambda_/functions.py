"""Functions: create, change, describe, list, delete (API Reference, CreateFunction and its siblings)."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.lambda_.code import CODE_PATH, Code, code_of
from emulator.services.lambda_.errors import FunctionConflict, InvalidParameter
from emulator.services.lambda_.names import (
    ALIAS,
    FUNCTION,
    LATEST,
    VERSION,
    find_function,
    find_version,
    function_arn,
    parse_name,
)
from emulator.store.resources import Query, Resource

_RUNTIME = re.compile(r"python3\.(8|9|1[0-4])")
_RESERVED = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT")
_REFUSED = {
    "Layers": "layers",
    "FileSystemConfigs": "file systems",
    "ImageConfig": "container images",
    "KMSKeyArn": "encryption by KMS",
    "CapacityProviderConfig": "capacity providers",
    "DurableConfig": "durable functions",
    "TenancyConfig": "tenancies",
}
_KEPT = ("Description", "VpcConfig", "TracingConfig", "EphemeralStorage", "Architectures", "LoggingConfig")
CODE = "_Code"
VERSIONS = "_Versions"
_DESCRIBED = "_Described"
"""Of a version: the function's description when it was published."""


@operation("lambda", "CreateFunction", blocking=True)
def create_function(request: Request, context: Context) -> Response:
    name = parse_name(request["FunctionName"], context)
    if request.get("PackageType", "Zip") != "Zip":
        raise NotImplementedHere("The emulator does not run Lambda functions of container images; give a zip file.")
    if context.app.resources.get(name.scope, FUNCTION, name.name) is not None:
        raise FunctionConflict(f"Function already exist: {name.name}")
    for member in ("Runtime", "Handler"):
        if not request.get(member):
            raise InvalidParameter(f"{member} is mandatory for functions created with deployment packages.")
    body = {
        "FunctionName": name.name,
        "FunctionArn": name.arn,
        "Role": request["Role"],
        "Timeout": 3,
        "MemorySize": 128,
        "Description": "",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip",
        "Version": LATEST,
        VERSIONS: 0,
    }
    _configure(body, request)
    _set_code(body, code_of(request["Code"], context))
    function = Resource(name.scope, FUNCTION, name.name, name.arn, body, "Active")
    if not context.app.resources.insert(function):
        raise FunctionConflict(f"Function already exist: {name.name}")
    if request.get("Tags"):
        _tag(context, name.arn, request["Tags"])
    return {**publish(function, context), "FunctionArn": name.arn} if request.get("Publish") else shown(function)


def _configure(body: dict[str, Any], request: Request) -> None:
    """Take over the configuration that a request gives."""
    for member, what in _REFUSED.items():
        if request.get(member):
            raise NotImplementedHere(f"The emulator does not have {what} of Lambda functions ({member}).")
    if (request.get("DeadLetterConfig") or {}).get("TargetArn"):
        raise NotImplementedHere("The emulator does not have DeadLetterConfig of Lambda functions yet.")
    if (request.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise NotImplementedHere("The emulator does not have SnapStart of Lambda functions.")
    if (request.get("LoggingConfig") or {}).get("LogFormat", "Text") != "Text":
        raise NotImplementedHere("The emulator writes logs of Lambda functions as text, not as JSON.")
    if request.get("Runtime") and not _RUNTIME.fullmatch(request["Runtime"]):
        raise NotImplementedHere(
            f"The runtime {request['Runtime']} exists on AWS, but the emulator runs Python's only: python3.8 to"
            " python3.14, all with the interpreter it runs with itself."
        )
    variables = (request.get("Environment") or {}).get("Variables")
    if variables is not None:
        _check_variables(variables)
        body["Environment"] = {"Variables": variables}
    given = ("Role", "Runtime", "Handler", "Timeout", "MemorySize", *_KEPT)
    body |= {member: request[member] for member in given if request.get(member) is not None}
    body["RevisionId"] = str(uuid.uuid4())
    body["LastModified"] = _now()


def _check_variables(variables: dict[str, str]) -> None:
    reserved = [name for name in variables if name in _RESERVED]
    if reserved:
        raise InvalidParameter(
            "Lambda was unable to configure your environment variables because the environment variables you have"
            " provided contains reserved keys that are currently not supported for modification. Reserved keys used in"
            f" this request: {', '.join(reserved)}"
        )
    if sum(len(name) + len(value) for name, value in variables.items()) > 4096:
        raise InvalidParameter(
            "Lambda was unable to configure your environment variables because the environment variables you have"
            " provided exceeded the 4KB limit."
        )


def _set_code(body: dict[str, Any], code: Code) -> None:
    body |= {CODE: code.digest, "CodeSha256": code.sha256, "CodeSize": code.size}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def shown(function: Resource, arn: str | None = None) -> Response:
    """The configuration of a version, as every operation answers it."""
    body = {member: value for member, value in function.body.items() if not member.startswith("_")}
    states = {"State": "Active", "LastUpdateStatus": "Successful"}
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{body['FunctionName']}"} | (
        body.get("LoggingConfig") or {}
    )
    return {**body, **states, "LoggingConfig": logging, "FunctionArn": arn or function.arn}


@operation("lambda", "GetFunctionConfiguration")
def get_function_configuration(request: Request, context: Context) -> Response:
    name, version = find_version(request["FunctionName"], context, request.get("Qualifier"))
    return shown(version, function_arn(name.scope, name.name, name.qualifier))


@operation("lambda", "GetFunction")
def get_function(request: Request, context: Context) -> Response:
    """``Code.Location`` is a link to the zip file, as AWS's, that needs no signature of its own."""
    name, version = find_version(request["FunctionName"], context, request.get("Qualifier"))
    configuration = shown(version, function_arn(name.scope, name.name, name.qualifier))
    tags = context.app.resources.tags(find_function(request["FunctionName"], context).arn)
    return {
        "Configuration": configuration,
        "Code": {"RepositoryType": "S3", "Location": _location(version.body[CODE], context)},
        "Tags": {tag["Key"]: tag["Value"] for tag in tags} or None,
    }


def _location(digest: str, context: Context) -> str | None:
    kept = context.app.neighbours.functions.code.archive(digest).is_file()
    return f"{context.app.settings.url}{CODE_PATH}{digest}.zip" if kept else None


@operation("lambda", "ListFunctions")
def list_functions(request: Request, context: Context) -> Response:
    query = Query(
        FUNCTION,
        sort_by="Name",
        descending=False,
        max_results=min(request.get("MaxItems", 50), 50),
        next_token=request.get("Marker"),
    )
    functions, token = context.app.resources.page(context.scope, query)
    if request.get("FunctionVersion") == "ALL":
        every = [answer for function in functions for answer in every_version(function, context)]
        return {"Functions": every, "NextMarker": token}
    return {"Functions": [shown(function) for function in functions], "NextMarker": token}


def every_version(function: Resource, context: Context) -> list[Response]:
    """The configurations of ``$LATEST`` and of the versions, each with its number in the ARN."""
    return [shown(function, f"{function.arn}:{LATEST}"), *map(shown, _versions(function, context))]


def _versions(function: Resource, context: Context) -> list[Resource]:
    query = Query(VERSION, parent=function.name, sort_by="CreationTime", descending=False, max_results=10_000)
    return context.app.resources.page(function.scope, query)[0]


@operation("lambda", "UpdateFunctionCode", blocking=True)
def update_function_code(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)
    code = code_of(request, context)
    if request.get("DryRun"):
        return shown(function)

    def change(resource: Resource) -> None:
        check_revision(resource, request)
        _set_code(resource.body, code)
        resource.body |= {"RevisionId": str(uuid.uuid4()), "LastModified": _now()}

    updated = _update(function, change, context)
    return publish(updated, context) if request.get("Publish") else shown(updated)


@operation("lambda", "UpdateFunctionConfiguration")
def update_function_configuration(request: Request, context: Context) -> Response:
    function = find_function(request["FunctionName"], context)

    def change(resource: Resource) -> None:
        check_revision(resource, request)
        _configure(resource.body, request)

    return shown(_update(function, change, context))


def _update(function: Resource, change: Any, context: Context) -> Resource:
    updated = context.app.resources.update(function.arn, change)
    return updated if updated is not None else find_function(function.arn, context)


def check_revision(function: Resource, request: Request) -> None:
    if request.get("RevisionId") not in (None, function.body["RevisionId"]):
        message = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction API to retrieve"
        raise FunctionConflict(f"{message} the latest Revision Id")


@operation("lambda", "DeleteFunction")
def delete_function(request: Request, context: Context) -> Response:
    name, version = find_version(request["FunctionName"], context, request.get("Qualifier"))
    resources = context.app.resources
    if version.kind == VERSION:
        resources.delete(version.arn)
        return {"StatusCode": 204}
    with resources.database.transaction():
        for kind in (VERSION, ALIAS):
            query = Query(kind, parent=version.name, max_results=10_000)
            for each in resources.page(name.scope, query)[0]:
                resources.delete(each.arn)
        resources.delete(version.arn)
    return {"StatusCode": 204}


def publish(function: Resource, context: Context, description: str | None = None) -> Response:
    """Make a version of the function as it is now; the last one, if nothing has changed since.

    ``description`` is the version's own, in place of the function's.
    """
    resources = context.app.resources
    with resources.database.transaction():
        latest = resources.get(function.scope, VERSION, f"{function.name}:{function.body[VERSIONS]}")
        if latest is not None and _is_same(latest, function):
            return shown(latest)
        number = function.body[VERSIONS] + 1

        def count(resource: Resource) -> None:
            resource.body[VERSIONS] = number

        resources.update(function.arn, count)
        arn = function_arn(function.scope, function.name, str(number))
        body = {**function.body, "Version": str(number), "FunctionArn": arn, "RevisionId": str(uuid.uuid4())}
        body |= {} if description is None else {"Description": description}
        body[_DESCRIBED] = function.body["Description"]
        name = f"{function.name}:{number}"
        version = Resource(function.scope, VERSION, name, arn, body, "Active", function.name, created=time.time())
        resources.insert(version)
    return shown(version)


def _is_same(version: Resource, function: Resource) -> bool:
    same = ("CodeSha256", "Handler", "Timeout", "MemorySize", "Environment", "Role", "Runtime")
    described = version.body.get(_DESCRIBED, version.body["Description"])
    return described == function.body["Description"] and all(
        version.body.get(key) == function.body.get(key) for key in same
    )


def _tag(context: Context, arn: str, tags: dict[str, str]) -> None:
    context.app.resources.add_tags(arn, [{"Key": key, "Value": value} for key, value in tags.items()])
