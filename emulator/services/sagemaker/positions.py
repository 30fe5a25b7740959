"""NextToken of lists whose place is a number."""

from __future__ import annotations

import base64
import binascii

from emulator.aws.errors import ValidationException


def write_position(position: int) -> str:
    """The token that goes on after a number."""
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
        if not 0 <= position < 2**63:
            raise ValueError("no position")
        return position
    except (ValueError, binascii.Error) as error:
        raise ValidationException("Invalid pagination token") from error
