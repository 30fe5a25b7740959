"""JSON that others wrote: read as strictly as AWS reads it."""

from __future__ import annotations

import json
from typing import Any


class TooDeep(ValueError):
    """It is nested too deeply to be read."""


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text. ``NaN`` and ``Infinity``, which Python writes and reads, are no JSON.

    Raises:
        TooDeep: it is nested too deeply.
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise TooDeep("it is nested too deeply") from None


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
