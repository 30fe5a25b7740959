"""Verifying signatures with botocore's own signer, for emulators that demand known keys.

The signature is computed again from the request with the known secret and compared. What a signature covers beyond
the body is exactly what the client says it signed (``SignedHeaders``).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from emulator.aws.errors import AwsError
from emulator.gateway.callers import Caller
from emulator.gateway.routing import protocol_of
from emulator.gateway.wire import WireRequest
from emulator.services.sessions import SESSION_KEY_PREFIX, find_session
from emulator.settings import Settings
from emulator.store.resources import Resources

if TYPE_CHECKING:
    from botocore.auth import SigV4Auth

_SKEW = timedelta(minutes=15)
_SIGNED_HEADERS = re.compile(r"SignedHeaders=([^,\s]+)")
_SIGNATURE = re.compile(r"Signature=([0-9a-f]+)")
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_CODES = {
    ("query", "UnrecognizedClientException"): "InvalidClientTokenId",
    ("query", "InvalidSignatureException"): "SignatureDoesNotMatch",
    ("s3", "MissingAuthenticationToken"): "AccessDenied",
    ("s3", "UnrecognizedClientException"): "InvalidAccessKeyId",
    ("s3", "InvalidSignatureException"): "SignatureDoesNotMatch",
    ("json", "MissingAuthenticationToken"): "MissingAuthenticationTokenException",
}


class Refused(AwsError):
    """The caller cannot be believed."""

    status = 403


def verify(request: WireRequest, caller: Caller, settings: Settings, resources: Resources) -> None:
    """Hold a request's signature against the known keys.

    For S3 the hash of the body is taken from ``x-amz-content-sha256``, which is signed; its body arrives as a stream.

    Raises:
        Refused: it is unsigned, signed by an unknown key, too old, or does not match.
    """
    if caller.scheme not in ("header", "query"):
        raise Refused(
            "Request is missing Authentication Token", code=_code(request, caller, "MissingAuthenticationToken")
        )
    secret = _secret(request, caller.access_key_id, settings, resources)
    if secret is None:
        message = "The security token included in the request is invalid."
        raise Refused(message, code=_code(request, caller, "UnrecognizedClientException"))
    signer = _signer(caller, secret)
    if caller.scheme == "query":
        parameters = dict(parse_qsl(request.query, keep_blank_values=True))
        given, names = parameters.pop("X-Amz-Signature", ""), parameters.get("X-Amz-SignedHeaders", "host")
        moment = parameters.get("X-Amz-Date", "")
        _check_time(moment, timedelta(seconds=_seconds(parameters.get("X-Amz-Expires", "900"))))
        query = "&".join(part for part in request.query.split("&") if not part.startswith("X-Amz-Signature="))
    else:
        authorization = request.headers["authorization"]
        given, names = _group(_SIGNATURE, authorization), _group(_SIGNED_HEADERS, authorization)
        moment, query = request.headers.get("x-amz-date", ""), request.query
        _check_time(moment, _SKEW)
    expected = _signature(signer, request, names.split(";"), query, moment, _body_hash(request, caller))
    if not hmac.compare_digest(expected, given):
        message = (
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details."
        )
        raise Refused(message, code=_code(request, caller, "InvalidSignatureException"))


def _secret(request: WireRequest, key: str, settings: Settings, resources: Resources) -> str | None:
    """The secret of a key that is known; a session's key is known only together with its token."""
    if key == settings.access_key_id:
        return settings.secret_access_key
    session = find_session(resources, key) if key.startswith(SESSION_KEY_PREFIX) else None
    in_query = dict(parse_qsl(request.query)).get("X-Amz-Security-Token", "")
    token = request.headers.get("x-amz-security-token", in_query)
    if session is None or not hmac.compare_digest(token.encode(), session.session_token.encode()):
        return None
    return session.secret_access_key


def _code(request: WireRequest, caller: Caller, code: str) -> str:
    """S3 and the query services have names of their own for the same refusals."""
    return _CODES.get((protocol_of(request, caller), code), code)


def _signer(caller: Caller, secret: str) -> SigV4Auth:
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.credentials import Credentials

    kind = S3SigV4Auth if caller.service == "s3" else SigV4Auth
    return kind(Credentials(caller.access_key_id, secret), caller.service, caller.region)


def _signature(
    signer: SigV4Auth, request: WireRequest, signed: list[str], query: str, moment: str, body_hash: str
) -> str:
    from botocore.awsrequest import AWSRequest
    from botocore.compat import HTTPHeaders

    url = f"http://{request.headers.get('host', '')}{request.path}"
    aws_request: Any = AWSRequest(request.method, f"{url}?{query}" if query else url)
    aws_request.context["timestamp"] = moment
    headers = HTTPHeaders()
    for name in sorted(signed):
        headers[name] = request.headers.get(name, "")
    normalize: Callable[[str], str] = getattr(signer, "_normalize_url_path")  # noqa: B009 — the stubs leave it out
    parts = (
        request.method.upper(),
        normalize(request.path),
        signer.canonical_query_string(aws_request),
        signer.canonical_headers(headers) + "\n",
        signer.signed_headers(headers),
        body_hash,
    )
    text = signer.string_to_sign(aws_request, "\n".join(parts))
    return str(signer.signature(text, aws_request))


def _body_hash(request: WireRequest, caller: Caller) -> str:
    if caller.service == "s3":
        return request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    if not request.body:
        return _EMPTY_SHA256
    import hashlib

    return hashlib.sha256(request.body).hexdigest()


def _check_time(moment: str, validity: timedelta) -> None:
    try:
        signed = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused("Date in Credential scope does not match YYYYMMDD", code="IncompleteSignature") from error
    now = datetime.now(UTC)
    if not signed - _SKEW <= now <= signed + validity:
        message = f"Signature expired: {moment} is now earlier or later than {now:%Y%m%dT%H%M%SZ} allows"
        raise Refused(message, code="RequestExpired")


def _seconds(text: str) -> int:
    return min(int(text), 604_800) if text.isdecimal() and len(text) < 10 else 0


def _group(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
