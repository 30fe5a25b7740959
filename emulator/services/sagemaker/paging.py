"""What the List operations of all families have in common: filters by name and time, order, pages."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request


def paging(request: Request, *, order: str = "Descending", size: int = 100) -> dict[str, Any]:
    """Arguments of a ``Query``; ``order`` and ``size`` are what the operation does unless asked.

    Some families call the limits CreatedAfter and CreatedBefore, others CreationTimeAfter and CreationTimeBefore.
    """
    return {
        "name_contains": request.get("NameContains"),
        "created_after": seconds(request.get("CreatedAfter") or request.get("CreationTimeAfter")),
        "created_before": seconds(request.get("CreatedBefore") or request.get("CreationTimeBefore")),
        "modified_after": seconds(request.get("LastModifiedTimeAfter")),
        "modified_before": seconds(request.get("LastModifiedTimeBefore")),
        "sort_by": request.get("SortBy", "CreationTime"),
        "descending": request.get("SortOrder", order) == "Descending",
        "max_results": request.get("MaxResults", size),
        "next_token": request.get("NextToken") or None,
    }


def seconds(moment: datetime | None) -> float | None:
    """Unix seconds of a time that a request may leave out."""
    return None if moment is None else moment.timestamp()


def page_of(items: list[Any], request: Request, size: int) -> tuple[list[Any], str | None]:
    """One page of a list that is whole in memory, and the token of the next."""
    start = read_position(request.get("NextToken")) or 0
    end = start + int(request.get("MaxResults", size))
    return items[start:end], write_position(end) if end < len(items) else None


def write_position(position: int) -> str:
    """The NextToken of a list whose place is a number."""
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def read_position(token: str | None) -> int | None:
    """The number in a token, None if there is no token.

    Raises:
        ValidationException: it is not a token of ours.
    """
    if not token:
        return None
    try:
        position = int(base64.urlsafe_b64decode(token.encode()))
    except ValueError as error:
        raise ValidationException("Invalid pagination token") from error
    if not 0 <= position < 2**63:
        raise ValidationException("Invalid pagination token")
    return position
