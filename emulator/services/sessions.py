"""Temporary credentials that STS issued: whom they stand for, and until when; they outlive a restart."""

from __future__ import annotations

import time
from dataclasses import dataclass

from emulator.aws.errors import AwsError
from emulator.store.resources import Resources

SESSION_KEY_PREFIX = "ASIA"


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
    row = resources.by_arn(row_arn(access_key_id))
    if row is None:
        return None
    session = Session(**row.body)
    if session.expires < time.time():
        message = "The security token included in the request is expired"
        raise AwsError(message, code="ExpiredTokenException", status=403)
    return session


def row_arn(access_key_id: str) -> str:
    """Sessions have no ARN on AWS; the table wants one, and this one needs no account to look it up."""
    return f"arn:aws:sts:::session/{access_key_id}"
