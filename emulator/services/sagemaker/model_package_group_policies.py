"""Resource policies of model package groups: kept and given back; nothing is enforced by them, as by no policy here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.model_package_groups import find_group

if TYPE_CHECKING:
    from emulator.services.context import Context
    from emulator.store.resources import Resource

POLICY = "ResourcePolicy"


@operation("sagemaker", "PutModelPackageGroupPolicy")
def put_model_package_group_policy(request: Request, context: Context) -> Response:
    group = find_group(context, request["ModelPackageGroupName"])
    document = request[POLICY]
    _check(document)
    context.app.resources.update(group.arn, lambda stored: stored.body.update({POLICY: document}))
    return {"ModelPackageGroupArn": group.arn}


@operation("sagemaker", "GetModelPackageGroupPolicy")
def get_model_package_group_policy(request: Request, context: Context) -> Response:
    return {POLICY: _having_policy(request, context).body[POLICY]}


@operation("sagemaker", "DeleteModelPackageGroupPolicy")
def delete_model_package_group_policy(request: Request, context: Context) -> Response:
    group = _having_policy(request, context)
    context.app.resources.update(group.arn, lambda stored: stored.body.pop(POLICY, None))
    return {}


def _having_policy(request: Request, context: Context) -> Resource:
    group = find_group(context, request["ModelPackageGroupName"])
    if POLICY not in group.body:
        raise ValidationException(f"Cannot find resource policy for: {group.arn}")
    return group


def _check(document: str) -> None:
    """
    Raises:
        ValidationException: it is no JSON object with statements.
    """
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ValidationException(f"Invalid resource policy: it is not JSON: {error}") from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise ValidationException("Invalid resource policy: it has no Statement.")
