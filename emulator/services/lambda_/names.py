"""How requests name functions: by name, by ARN or part of one, with or without a version or alias."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import AwsError
from emulator.services.context import Context
from emulator.services.lambda_.errors import FunctionNotFound
from emulator.store.resources import Resource, Scope

FUNCTION = "lambda-function"
VERSION = "lambda-version"
ALIAS = "lambda-alias"
LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass(frozen=True, slots=True)
class FunctionName:
    scope: Scope
    name: str
    qualifier: str
    """Empty if none was given."""

    @property
    def arn(self) -> str:
        return function_arn(self.scope, self.name)


def function_arn(scope: Scope, name: str, qualifier: str = "") -> str:
    resource = f"function:{name}" + (f":{qualifier}" if qualifier else "")
    return str(Arn(partition_of(scope.region), "lambda", scope.region, scope.account, resource))


def parse_name(text: str, context: Context, qualifier: str | None = None) -> FunctionName:
    """
    Raises:
        AwsError: the text is no function's name.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise AwsError(
            f"1 validation error detected: Value '{text[:200]}' at 'functionName' failed to satisfy constraint: Member"
            " must satisfy regular expression pattern", code="ValidationException",
        )  # fmt: skip
    scope = Scope(match["account"] or context.account, match["region"] or context.region)
    return FunctionName(scope, match["name"], qualifier or match["qualifier"] or "")


def find_function(text: str, context: Context) -> Resource:
    """The function itself, whatever the qualifier.

    Raises:
        FunctionNotFound: there is none.
    """
    name = parse_name(text, context)
    function = context.app.resources.get(name.scope, FUNCTION, name.name)
    if function is None:
        raise FunctionNotFound(f"Function not found: {name.arn}")
    return function


def find_version(text: str, context: Context, qualifier: str | None = None) -> tuple[FunctionName, Resource]:
    """The version that a name and qualifier mean; ``$LATEST`` is the function itself.

    Raises:
        FunctionNotFound: there is none.
    """
    name = parse_name(text, context, qualifier)
    function = find_function(text, context)
    wanted = name.qualifier
    if wanted and wanted != LATEST and not wanted.isdecimal():
        alias = context.app.resources.get(name.scope, ALIAS, f"{name.name}:{wanted}")
        wanted = alias.body["FunctionVersion"] if alias else "?"
    if wanted in ("", LATEST):
        return name, function
    version = context.app.resources.get(name.scope, VERSION, f"{name.name}:{wanted}")
    if version is None:
        raise FunctionNotFound(f"Function not found: {function_arn(name.scope, name.name, name.qualifier)}")
    return name, version
