"""What must not be in a definition, as it differs from build to build: local paths and the time of the build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

TIME = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)[-T]?(\d\d)[-:]?(\d\d)[-:]?(\d\d)(?!\d{6})")
MARGIN = timedelta(hours=1)


def find_impurities(definition: Any, folders: list[str], now: datetime | None = None) -> list[str]:
    """One message for each string of a definition that holds one of the local ``folders`` or a time near ``now``."""
    now = now or datetime.now(UTC)
    messages = []
    for where, text in strings(definition):
        for folder in folders:
            if folder in text:
                messages.append(f"{where} contains the local path {folder}: {text!r}")
        if any(abs(time - now) < MARGIN for time in _times(text)):
            messages.append(f"{where} contains the time of the build, so that every build differs: {text!r}")
    return messages


def strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a definition with its path; steps are named by their names, not by their numbers."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            label = item.get("Name") if isinstance(item, dict) else None
            yield from strings(item, f"{where}[{label or number}]")
    elif isinstance(value, str):
        yield where, value


def _times(text: str) -> Iterator[datetime]:
    for match in TIME.finditer(text):
        try:
            yield datetime(*(int(part) for part in match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
        except ValueError:
            continue
