"""AWS Security Token Service: who am I, and temporary credentials that outlive a restart.

Credentials issued here name an account and an identity. Keys that were not issued here belong to the root user of the
account that the gateway gives them.
"""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.aws.arns import Arn, partition_of
from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.iam import GLOBAL_REGION, find_role
from emulator.store.resources import Resource, Resources, Scope

SESSION_KEY_PREFIX = "ASIA"
_KIND = "session"
_KEY_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "/+"


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials and whom they stand for; ``expires`` is Unix seconds."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    account: str
    arn: str
    user_id: str
    expires: float


def find_session(resources: Resources, access_key_id: str) -> Session | None:
    """The session an access key id belongs to; None if it was not issued here.

    Raises:
        AwsError: ExpiredTokenException, the session is over.
    """
    row = resources.by_arn(_row_arn(access_key_id))
    if row is None:
        return None
    session = Session(**row.body)
    if session.expires < time.time():
        message = "The security token included in the request is expired"
        raise AwsError(message, code="ExpiredTokenException", status=403)
    return session


@operation("sts", "GetCallerIdentity")
def get_caller_identity(request: Request, context: Context) -> Response:
    session = _caller(context)
    if session is None:
        root = Arn(partition_of(context.region), "iam", "", context.account, "root")
        return {"UserId": context.account, "Account": context.account, "Arn": str(root)}
    return {"UserId": session.user_id, "Account": session.account, "Arn": session.arn}


@operation("sts", "AssumeRole")
def assume_role(request: Request, context: Context) -> Response:
    """Credentials of a role, also of another account's; trust policies are stored but not enforced."""
    arn = Arn.parse(request["RoleArn"])
    name = arn.resource.rpartition("/")[2]
    role = find_role(context, name, account=arn.account) if arn.resource.startswith("role/") else None
    if role is None or (role.arn != str(arn) and not role.implicit):
        caller = get_caller_identity({}, context)["Arn"]
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
    caller = get_caller_identity({}, context)
    seconds = request.get("DurationSeconds", 43_200)
    session = _issue(context, caller["Account"], caller["Arn"], caller["UserId"], seconds)
    return {"Credentials": _credentials(session)}


def _caller(context: Context) -> Session | None:
    key = context.access_key_id
    return find_session(context.app.resources, key) if key.startswith(SESSION_KEY_PREFIX) else None


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
    scope = Scope(account, GLOBAL_REGION)
    context.app.resources.insert(Resource(scope, _KIND, key, _row_arn(key), asdict(session)))
    return session


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": datetime.fromtimestamp(session.expires, UTC),
    }


def _row_arn(access_key_id: str) -> str:
    """Sessions have no ARN on AWS; the table wants one, and this one needs no account to look it up."""
    return f"arn:aws:sts:::session/{access_key_id}"


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
