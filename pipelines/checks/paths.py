"""Property paths and JSON paths: ``a.b[0]['key']``."""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(r"\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[(?:'([^']*)'|\"([^\"]*)\")\]")


def split_path(path: str) -> list[str | int] | None:
    """Keys and indexes of a path; None if it is malformed."""
    tokens: list[str | int] = []
    position = 0
    while position < len(path):
        match = TOKEN.match(path, position)
        if match is None or (position == 0 and match[0].startswith(".")):
            return None
        name, index, single, double = match.groups()
        tokens.append(int(index) if index else next(text for text in (name, single, double) if text is not None))
        position = match.end()
    return tokens or None


def missing_key(shape: Any, tokens: list[str | int]) -> str | None:
    """The first key of a path that a response's shape does not have; None if it has all of them.

    A shape is a dict of members, a list of one item's shape, ``""`` for a value, ``"*"`` for anything.
    """
    for token in tokens:
        if shape == "*":
            return None
        if isinstance(shape, list):
            shape = shape[0]
        elif isinstance(shape, dict) and ("*" in shape or token in shape):
            shape = shape.get("*", shape.get(str(token)))
        else:
            return str(token)
    return None
