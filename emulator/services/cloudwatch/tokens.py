"""NextToken of paginated answers: a position, opaque to clients."""

from __future__ import annotations

import base64
import binascii

from emulator.services.cloudwatch.errors import invalid_token


def encode(position: int | None) -> str | None:
    return None if position is None else base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def decode(token: str | None) -> int:
    """The position, 0 at first.

    Raises:
        CloudWatchError: the token is none of ours.
    """
    if token is None:
        return 0
    try:
        kind, _, position = base64.urlsafe_b64decode(token).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise invalid_token() from error
    if kind != "at" or not position.isdecimal() or len(position) > 18:
        raise invalid_token()
    return int(position)
