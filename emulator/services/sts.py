"""AWS Security Token Service: who am I, and temporary credentials that outlive a restart.

Credentials issued here name an account and an identity; ``identity`` says who the caller is without them.
"""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from emulator.aws.arns import Arn
from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam.entities import account_scope
from emulator.services.iam.roles import find_role
from emulator.services.identity import identity_of
from emulator.services.sessions import SESSION_KEY_PREFIX, Session, row_arn
from emulator.store.resources import Query, Resource

_KIND = "session"
_KEPT_SECONDS = 7 * 86_400
"""No session lasts longer than 36 hours; a while after it is said to be over, and then it is unknown."""
_KEY_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "/+"


@operation("sts", "GetCallerIdentity")
def get_caller_identity(request: Request, context: Context) -> Response:
    caller = identity_of(context)
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


@operation("sts", "AssumeRole")
def assume_role(request: Request, context: Context) -> Response:
    """Credentials of a role, also of another account's; trust policies are stored but not enforced."""
    arn = Arn.parse(request["RoleArn"])
    name = arn.resource.rpartition("/")[2]
    role = find_role(context, name, account=arn.account) if arn.resource.startswith("role/") else None
    if role is None or (role.arn != str(arn) and not role.implicit):
        caller = identity_of(context).arn
        raise AwsError(
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            code="AccessDenied",
            status=403,
        )
    session_name = request["RoleSessionName"]
    user = {
        "AssumedRoleId": f"{role.role_id}:{session_name}",
        "Arn": f"arn:{arn.partition}:sts::{arn.account}:assumed-role/{name}/{session_name}",
    }
    session = _issue(context, arn.account, user["Arn"], user["AssumedRoleId"], request.get("DurationSeconds", 3600))
    return {"Credentials": _credentials(session), "AssumedRoleUser": user}


@operation("sts", "GetSessionToken")
def get_session_token(request: Request, context: Context) -> Response:
    caller = identity_of(context)
    session = _issue(context, caller.account, caller.arn, caller.user_id, request.get("DurationSeconds", 43_200))
    return {"Credentials": _credentials(session)}


def _issue(context: Context, account: str, arn: str, user_id: str, seconds: int) -> Session:
    key = SESSION_KEY_PREFIX + _random(_KEY_ALPHABET, 16)
    session = Session(
        access_key_id=key,
        secret_access_key=_random(_SECRET_ALPHABET, 40),
        session_token=_random(_SECRET_ALPHABET, 160),
        account=account,
        arn=arn,
        user_id=user_id,
        expires=float(int(time.time()) + seconds),
    )
    scope, resources = account_scope(account), context.app.resources
    with resources.database.transaction():
        for old in list(resources.walk(scope, Query(_KIND, parent="", created_before=time.time() - _KEPT_SECONDS))):
            resources.delete(old.arn)
        resources.insert(Resource(scope, _KIND, key, row_arn(key), asdict(session)))
    return session


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": datetime.fromtimestamp(session.expires, UTC),
    }


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
