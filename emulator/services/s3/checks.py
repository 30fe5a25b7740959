"""Checksums that clients send in headers or trailers, and those that they are told."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.services.s3.errors import bad_digest, invalid_request
from emulator.store.checksums import ALGORITHMS, DEFAULT_ALGORITHM, new_digest
from emulator.store.stored_objects import Checksum

_PREFIX = "x-amz-checksum-"
_HEADERS = {f"{_PREFIX}{algorithm.lower()}": algorithm for algorithm in ALGORITHMS}


@dataclass(frozen=True, slots=True)
class ChecksumPlan:
    """Which checksum to compute of a body, and against what to hold it.

    ``expected`` is the value in the header; a ``trailer`` holds it after the data instead.
    """

    algorithm: str
    expected: str = ""
    trailer: str = ""

    @property
    def sent(self) -> bool:
        """Whether the client sends a checksum, rather than leave it to S3."""
        return bool(self.expected or self.trailer)

    def verify(self, calculated: str, trailers: Mapping[str, str]) -> None:
        """Compare with what the client sent.

        Raises:
            AwsError: BadDigest; InvalidRequest: the trailer that was announced is not there or is no checksum.
        """
        expected = self.expected
        if self.trailer:
            expected = _valid(self.algorithm, trailers.get(self.trailer, ""), self.trailer)
        if expected and expected != calculated:
            raise bad_digest(
                f"The {self.algorithm} you specified did not match the calculated checksum.", expected, calculated
            )


def plan_checksum(headers: Mapping[str, str]) -> ChecksumPlan:
    """The plan that a request's headers ask for.

    Raises:
        AwsError: InvalidRequest: two checksums, an unknown one, or one announced but not sent.
    """
    sent = [name for name in headers if name in _HEADERS]
    trailer = headers.get("x-amz-trailer", "").strip().lower()
    announced = headers.get("x-amz-sdk-checksum-algorithm", "").upper()
    if len(sent) + (trailer in _HEADERS) > 1:
        raise invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    if sent:
        algorithm = _HEADERS[sent[0]]
        return ChecksumPlan(algorithm, expected=_valid(algorithm, headers[sent[0]], sent[0]))
    if trailer.startswith(_PREFIX) and trailer not in _HEADERS:
        raise invalid_request("The value specified in the x-amz-trailer header is not supported")
    if trailer in _HEADERS:
        return ChecksumPlan(_HEADERS[trailer], trailer=trailer)
    if announced and "x-amz-copy-source" not in headers:
        raise invalid_request(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers"
            " were found."
        )
    return ChecksumPlan(DEFAULT_ALGORITHM)


def member_name(algorithm: str) -> str:
    """The member that carries a checksum, such as ``ChecksumCRC32``."""
    return f"Checksum{algorithm}"


def checksum_members(checksum: Checksum | None) -> dict[str, Any]:
    """A checksum as members of a response."""
    if checksum is None:
        return {}
    return {member_name(checksum.algorithm): checksum.value, "ChecksumType": checksum.kind}


def requested_checksum(request: Mapping[str, Any]) -> tuple[str, str] | None:
    """``(algorithm, value)`` of the checksum member in a request's members, or None."""
    found = ((name, request.get(member_name(name))) for name in ALGORITHMS)
    return next(((name, value) for name, value in found if value), None)


def _valid(algorithm: str, value: str, header: str) -> str:
    try:
        size = len(base64.b64decode(value, validate=True))
    except binascii.Error:
        size = 0
    if size != len(new_digest(algorithm).digest()):
        raise invalid_request(f"Value for {header} header is invalid.")
    return value
