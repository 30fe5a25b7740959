"""Tags of every resource that has an ARN (API Reference, AddTags, ListTags, DeleteTags)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from emulator.aws.arns import Arn
from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation

if TYPE_CHECKING:
    from emulator.services.context import Context

LIMIT = 50
"""Tags of one resource (AWS General Reference, "Tag naming limits and requirements")."""


@operation("sagemaker", "AddTags")
def add_tags(request: Request, context: Context) -> Response:
    arn = _existing(request["ResourceArn"], context)
    tags = request["Tags"]
    check_new_tags(tags)
    resources = context.app.resources
    with resources.database.transaction():
        keys = {tag["Key"] for tag in resources.tags(arn)} | {tag["Key"] for tag in tags}
        if len(keys) > LIMIT:
            raise ValidationException(f"The number of tags exceeds the limit of {LIMIT} tags per resource.")
        resources.add_tags(arn, tags)
    return {"Tags": resources.tags(arn)}


@operation("sagemaker", "ListTags")
def list_tags(request: Request, context: Context) -> Response:
    arn = _existing(request["ResourceArn"], context)
    return {"Tags": context.app.resources.tags(arn)}  # at most 50, which is the least page a caller may ask for


@operation("sagemaker", "DeleteTags")
def delete_tags(request: Request, context: Context) -> Response:
    arn = _existing(request["ResourceArn"], context)
    _refuse_reserved(request["TagKeys"])
    context.app.resources.delete_tags(arn, request["TagKeys"])
    return {}


def check_new_tags(tags: Iterable[Mapping[str, str]]) -> None:
    """What AWS demands of tags that a request brings, in AddTags as in the ``Tags`` of Create operations.

    Raises:
        ValidationException: a key occurs twice or is reserved.
    """
    keys = [tag["Key"] for tag in tags]
    if len(keys) != len(set(keys)):
        raise ValidationException("Duplicate tag keys are not allowed: each key may occur once in a request.")
    _refuse_reserved(keys)


def _refuse_reserved(keys: Iterable[str]) -> None:
    for key in keys:
        if key.lower().startswith("aws:"):
            raise ValidationException(f"Tag key {key} is invalid: the prefix aws: is reserved for system use.")


def _existing(arn: str, context: Context) -> str:
    """The ARN as it is stored: AWS compares resource names in ARNs without regard to case.

    Raises:
        ValidationException: the caller has no such resource.
    """
    parsed = Arn.parse(arn)
    resources = context.app.resources
    found = resources.by_arn(arn)
    if found is None or found.scope != context.scope:
        raise ValidationException(f"Resource {arn} of type {parsed.resource_type} does not exist.")
    return found.arn
