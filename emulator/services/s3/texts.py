"""Scalars in headers, query strings and XML elements, as S3 writes and reads them."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from emulator.aws.xml import escape
from emulator.services.s3.errors import invalid_argument


def read(kind: str, text: str, name: str) -> Any:
    """A scalar of a botocore type; times are Unix seconds.

    Raises:
        AwsError: InvalidArgument.
    """
    try:
        match kind:
            case "integer" | "long":
                return int(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "timestamp":
                return read_time(text)
            case _:
                return text
    except (ValueError, KeyError) as error:
        raise invalid_argument(f"Provided {name} not a valid {kind} or out of range", name, text) from error


def read_time(text: str) -> float:
    """Unix seconds of an HTTP date or an ISO 8601 time.

    Raises:
        ValueError: it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def header(kind: str, value: Any) -> str:
    """A scalar, or a list of them, in a header. A time that is text already stays as it is."""
    if kind == "timestamp" and not isinstance(value, str):
        return formatdate(value, usegmt=True)
    if kind == "list":
        return ",".join(str(item) for item in value)
    return _plain(kind, value)


def element(kind: str, value: Any) -> str:
    """A scalar in XML."""
    if kind == "timestamp":
        return iso_time(value)
    return escape(_plain(kind, value), _reference)


def iso_time(seconds: float) -> str:
    """``2026-11-22T08:00:00.000Z``; S3 keeps whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _reference(found: re.Match[str]) -> str:
    """How S3 writes a character of a key that XML 1.0 forbids."""
    return f"&#x{ord(found[0]):x};"


def _plain(kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "blob" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
