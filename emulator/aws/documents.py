"""JSON that others wrote: read as strictly as AWS reads it."""

from __future__ import annotations

import json
from typing import Any


class TooDeep(ValueError):
    """It is nested too deeply to be read."""


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text. ``NaN`` and ``Infinity``, which Python writes and reads, are no JSON, and half of a
    surrogate pair, which Python reads, is no character: nothing could store or send it.

    Raises:
        TooDeep: it is nested too deeply.
        ValueError: it is no JSON.
    """
    whole = text.decode(json.detect_encoding(text)) if isinstance(text, bytes) else text
    try:
        value = json.loads(whole, parse_constant=_refused)
        if "\\u" in whole:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise TooDeep("it is nested too deeply") from None
    return value


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
