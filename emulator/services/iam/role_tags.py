"""Tags of IAM roles."""

from __future__ import annotations

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam.roles import change_role, existing_role


@operation("iam", "TagRole")
def tag_role(request: Request, context: Context) -> Response:
    with context.app.resources.database.transaction():
        change_role(context, request["RoleName"], lambda body: None)  # a role that was never created is written down
        context.app.resources.add_tags(existing_role(context, request["RoleName"]).arn, request["Tags"])
    return {}


@operation("iam", "UntagRole")
def untag_role(request: Request, context: Context) -> Response:
    context.app.resources.delete_tags(existing_role(context, request["RoleName"]).arn, request["TagKeys"])
    return {}


@operation("iam", "ListRoleTags")
def list_role_tags(request: Request, context: Context) -> Response:
    """All at once: a role has 50 tags at most."""
    tags = context.app.resources.tags(existing_role(context, request["RoleName"]).arn)
    return {"Tags": tags, "IsTruncated": False}
