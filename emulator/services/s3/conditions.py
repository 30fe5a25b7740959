"""Conditional requests: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since (RFC 7232).

Amazon S3 API Reference, GetObject: If-Match prevails over If-Unmodified-Since, If-None-Match over If-Modified-Since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import AwsError
from emulator.services.s3 import texts
from emulator.services.s3.errors import not_modified, precondition_failed
from emulator.store.object_errors import no_such_key
from emulator.store.object_index import Condition
from emulator.store.stored_objects import StoredObject


def check_read(request: Mapping[str, Any], stored: StoredObject) -> None:
    """The conditions of a GET or HEAD.

    Raises:
        AwsError: PreconditionFailed (412), NotModified (304).
    """
    failed = _failed(request, stored, "")
    if failed in ("If-Match", "If-Unmodified-Since"):
        raise precondition_failed(failed)
    if failed:
        modified = texts.header("timestamp", stored.last_modified)
        raise not_modified({"ETag": f'"{stored.etag}"', "Last-Modified": modified})


def check_copy_source(request: Mapping[str, Any], stored: StoredObject) -> None:
    """The conditions on the source of a copy; each that fails is a 412.

    Raises:
        AwsError: PreconditionFailed.
    """
    failed = _failed(request, stored, "CopySource")
    if failed:
        raise precondition_failed(f"x-amz-copy-source-{failed}")


def write_condition(request: Mapping[str, Any]) -> Condition | None:
    """The condition of a write, to be checked where the write happens.

    Raises:
        AwsError: NotImplemented: S3 has ``If-None-Match: *`` only.
    """
    match, none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    if match is None and none_match is None:
        return None
    if none_match not in (None, "*"):
        raise AwsError(
            "A header you provided implies functionality that is not implemented",
            code="NotImplemented",
            status=501,
            extra={"Header": "If-None-Match"},
        )

    def condition(current: StoredObject | None) -> None:
        if none_match and current is not None:
            raise precondition_failed("If-None-Match")
        if match is not None and current is None:
            raise no_such_key(request["Key"])
        if match is not None and current is not None and not _matches(match, current.etag):
            raise precondition_failed("If-Match")

    return condition


def _failed(request: Mapping[str, Any], stored: StoredObject, prefix: str) -> str:
    """The header of the first condition that does not hold, or ""."""
    match, none_match = request.get(f"{prefix}IfMatch"), request.get(f"{prefix}IfNoneMatch")
    unmodified, modified = request.get(f"{prefix}IfUnmodifiedSince"), request.get(f"{prefix}IfModifiedSince")
    written = int(stored.last_modified)
    if match is not None and not _matches(match, stored.etag):
        return "If-Match"
    if match is None and unmodified is not None and written > unmodified:
        return "If-Unmodified-Since"
    if none_match is not None and _matches(none_match, stored.etag):
        return "If-None-Match"
    if none_match is None and modified is not None and written <= modified:
        return "If-Modified-Since"
    return ""


def _matches(header: str, etag: str) -> bool:
    candidates = [text.strip().removeprefix("W/").strip('"') for text in header.split(",")]
    return "*" in candidates or etag in candidates
