"""IAM users: there are none but the root user of each account."""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam.errors import NoSuchEntity
from emulator.services.iam.roles import IMPLICIT_CREATED
from emulator.services.identity import identity_of


@operation("iam", "GetUser")
def get_user(request: Request, context: Context) -> Response:
    """The caller, if that is the account's root user.

    Raises:
        AwsError: ValidationError, the caller is a role and names no user.
        NoSuchEntity: the request names a user.
    """
    if name := request.get("UserName"):
        raise NoSuchEntity(f"The user with name {name} cannot be found.")
    caller = identity_of(context)
    if not caller.is_root:
        raise AwsError("Must specify userName when calling with non-User credentials", code="ValidationError")
    user = {"Path": "/", "UserName": "root", "UserId": caller.user_id, "Arn": caller.arn}
    return {"User": user | {"CreateDate": datetime.fromtimestamp(IMPLICIT_CREATED, UTC)}}
