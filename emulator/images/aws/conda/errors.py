"""What goes wrong, under the names that conda has for it."""

from __future__ import annotations


class CondaError(Exception):
    """``kind`` is conda's name of the error, the message what and what to do."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
