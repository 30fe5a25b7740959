"""Metrics read from a job's log by regular expressions (SageMaker Developer Guide, "Define training metrics")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.store.log_streams import LogEvent


def final_metrics(definitions: Iterable[Mapping[str, str]], backward: Iterable[LogEvent]) -> list[dict[str, Any]]:
    """The last value of each metric, in the order of the definitions; ``backward`` gives the log's last line first."""
    open_definitions = {item["Name"]: re.compile(item["Regex"]) for item in definitions}
    order = list(open_definitions)
    found: dict[str, dict[str, Any]] = {}
    if not open_definitions:
        return []
    for event in backward:
        for name in list(open_definitions):
            value = value_in(open_definitions[name], event.message)
            if value is not None:
                found[name] = {"MetricName": name, "Value": value, "Timestamp": event.timestamp / 1000}
                del open_definitions[name]
        if not open_definitions:
            break
    return [found[name] for name in order if name in found]


def value_in(expression: re.Pattern[str], line: str) -> float | None:
    """The last number in a line that the expression finds."""
    for match in reversed(list(expression.finditer(line))):
        try:
            return float(match.group(1) if expression.groups else match.group())
        except (TypeError, ValueError):
            continue
    return None
