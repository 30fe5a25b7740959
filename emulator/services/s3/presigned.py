"""Presigned URLs: how long they hold (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters")."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from emulator.aws.errors import AwsError
from emulator.services.s3.errors import access_denied
from emulator.services.s3.texts import iso_time

_WEEK = 604_800
_V4_REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)


def check_expiry(query: Mapping[str, str]) -> None:
    """Refuse a presigned URL whose time is over; requests that are not presigned pass.

    Raises:
        AwsError: AccessDenied, AuthorizationQueryParametersError.
    """
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        _check_v4(query)
    elif "AWSAccessKeyId" in query and "Signature" in query:
        _check_v2(query)


def _check_v4(query: Mapping[str, str]) -> None:
    if any(name not in query for name in _V4_REQUIRED):
        raise _malformed(f"Query-string authentication version 4 requires the {', '.join(_V4_REQUIRED)} parameters.")
    try:
        signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise _malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"") from error
    if not query["X-Amz-Expires"].isdecimal():
        raise _malformed("X-Amz-Expires should be a number")
    lifetime = int(query["X-Amz-Expires"])
    if lifetime > _WEEK:
        raise _malformed(
            f"X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than"
            f" {_WEEK} seconds"
        )
    _check(signed + lifetime, **{"X-Amz-Expires": str(lifetime)})


def _check_v2(query: Mapping[str, str]) -> None:
    expires = query.get("Expires", "")
    if not expires.isdecimal():
        raise access_denied(f"Invalid date (should be seconds since epoch): {expires}")
    _check(int(expires))


def _check(expires: float, **details: str) -> None:
    now = time.time()
    if now > expires:
        raise access_denied("Request has expired", **details, Expires=iso_time(expires), ServerTime=iso_time(now))


def _malformed(message: str) -> AwsError:
    return AwsError(message, code="AuthorizationQueryParametersError")
