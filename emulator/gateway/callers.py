"""Who calls: account, region and service, from the credential scope of a signed request.

The access key id names the account if it is an account id (12 digits) or was issued by STS; any other key belongs to
``settings.account``. An unsigned request is that account's too, in ``settings.region``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

from emulator.aws.errors import AwsError
from emulator.gateway.wire import WireRequest
from emulator.services.sessions import SESSION_KEY_PREFIX, find_session
from emulator.settings import Settings
from emulator.store.resources import Resources, Scope

_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")
_SIGV4 = "AWS4-"


@dataclass(frozen=True, slots=True)
class Caller:
    """``scheme`` is ``header`` or ``query`` for SigV4, ``v2`` for S3's old signatures, empty for unsigned requests."""

    access_key_id: str = ""
    date: str = ""
    region: str = ""
    service: str = ""
    scheme: str = ""


UNSIGNED = Caller()


def caller_of(request: WireRequest) -> Caller:
    """The caller as the request itself says; whether that is true is for ``signatures`` to say.

    Raises:
        AwsError: the credential scope is malformed.
    """
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(_SIGV4):
        return _from_header(authorization.partition("SignedHeaders=")[0])
    if authorization.startswith("AWS "):
        return Caller(authorization[4:].partition(":")[0], service="s3", scheme="v2")
    if "X-Amz-Credential=" in request.query:
        return _parse(_parameter(request.query, "X-Amz-Credential"), "query")
    if "AWSAccessKeyId=" in request.query:
        return Caller(_parameter(request.query, "AWSAccessKeyId"), service="s3", scheme="v2")
    return UNSIGNED


def _parameter(query: str, name: str) -> str:
    return parse_qs(query).get(name, [""])[0]


@lru_cache(maxsize=1024)
def _from_header(authorization: str) -> Caller:
    found = _CREDENTIAL.search(authorization)
    if found is None:
        raise _incomplete("Authorization header requires 'Credential' parameter.")
    return _parse(found[1], "header")


def _parse(credential: str, scheme: str) -> Caller:
    parts = credential.split("/")
    if len(parts) == 4:  # SigV4A scopes a key to many regions
        parts.insert(2, "")
    if len(parts) != 5 or not parts[0] or parts[4] != "aws4_request":
        raise _incomplete(f"Credential must have exactly 5 slash-delimited elements, got {credential[:200]!r}.")
    if parts[2] and not _REGION.fullmatch(parts[2]):
        raise _incomplete("Credential should be scoped to a valid region.")
    return Caller(parts[0], parts[1], parts[2], parts[3], scheme)


def _incomplete(message: str) -> AwsError:
    return AwsError(message, code="IncompleteSignature")


def scope_of(caller: Caller, settings: Settings, resources: Resources) -> Scope:
    """The account and region that a caller acts in.

    Raises:
        AwsError: the caller's session is over or was never issued here.
    """
    key = caller.access_key_id
    account = settings.account
    if _ACCOUNT.fullmatch(key):
        account = key
    elif key.startswith(SESSION_KEY_PREFIX) and (session := find_session(resources, key)) is not None:
        account = session.account
    return Scope(account, caller.region or settings.region)
