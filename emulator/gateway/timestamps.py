"""Timestamps on the wire: ``unixTimestamp``, ``iso8601`` and ``rfc822`` (Smithy, "timestampFormat")."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any


def parse(value: Any) -> datetime:
    """An aware time from seconds since 1970 or from either text format.

    Raises:
        ValueError: it is none of them, or out of range.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_seconds(value)
    if not isinstance(value, str):
        raise ValueError("not a timestamp")
    text = value.strip()
    try:
        return _from_seconds(float(text))
    except ValueError:
        pass
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = parsedate_to_datetime(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _from_seconds(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(str(error)) from error


def moment(value: Any) -> datetime:
    """An aware time from an aware time or Unix seconds."""
    return value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)


def seconds(value: Any) -> float:
    """Unix seconds to the millisecond, which is as fine as AWS answers."""
    return round(value.timestamp() if isinstance(value, datetime) else float(value), 3)


def render(value: Any, style: str) -> str:
    """A time (aware datetime or Unix seconds) as text in one of the three formats."""
    time = moment(value).astimezone(UTC)
    match style:
        case "rfc822":
            return format_datetime(time.replace(microsecond=0), usegmt=True)
        case "iso8601":
            precision = "milliseconds" if time.microsecond // 1000 else "seconds"
            return time.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
        case _:
            return str(seconds(time) if time.microsecond else int(time.timestamp()))
