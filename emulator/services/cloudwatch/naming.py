"""Names and dimensions of metrics, as requests and answers have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.services.cloudwatch.errors import invalid_value
from emulator.store.metrics import Metric


def dimensions_of(pairs: list[dict[str, str]], where: str) -> dict[str, str]:
    """
    Raises:
        CloudWatchError: a name comes twice, or starts with a colon.
    """
    found: dict[str, str] = {}
    for number, pair in enumerate(pairs, 1):
        name = pair["Name"]
        if name in found or name.startswith(":"):
            raise invalid_value(f"The value {name} for parameter {where}.Dimensions.member.{number}.Name is invalid.")
        found[name] = pair["Value"]
    return found


def written(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def metric_of(given: Mapping[str, Any], where: str) -> Metric:
    """The metric that a request names.

    Raises:
        CloudWatchError: it has no namespace or no name.
    """
    for member in ("Namespace", "MetricName"):
        if member not in given:
            raise invalid_value(f"The parameter {where}.{member} is required.")
    return Metric(given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions", []), where))
