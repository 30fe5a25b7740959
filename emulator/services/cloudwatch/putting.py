"""PutMetricData."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.cloudwatch.errors import invalid_combination, invalid_value, missing
from emulator.services.cloudwatch.naming import dimensions_of
from emulator.services.context import Context
from emulator.store.metrics import Metric, Point

MAX_METRICS, MAX_VALUES = 1000, 150
GREATEST = 2.0**360
OLDEST_SECONDS, NEWEST_SECONDS = 14 * 86_400, 2 * 3_600
"""A timestamp may be two weeks back and two hours ahead (API reference, MetricDatum)."""
STANDARD_RESOLUTION = 60


@operation("cloudwatch", "PutMetricData", blocking=True)
def put_metric_data(request: Request, context: Context) -> Response:
    for member in ("EntityMetricData", "StrictEntityValidation"):
        if member in request:
            raise NotImplementedHere(f"{member}: the emulator has no entities of metrics; put plain MetricData.")
    namespace, data = request["Namespace"], request.get("MetricData")
    if namespace.startswith("AWS/"):
        raise invalid_value(f"The value {namespace} for parameter Namespace is invalid.")
    if not data:
        raise missing("The parameter MetricData is required.")
    if len(data) > MAX_METRICS:
        raise invalid_value(f"The collection MetricData must not have a size greater than {MAX_METRICS}.")
    context.app.metrics.put(context.scope, list(_points(namespace, data, time.time())))
    return {}


def _points(namespace: str, data: list[dict[str, Any]], now: float) -> Iterator[tuple[Metric, Point]]:
    for number, datum in enumerate(data, 1):
        where = f"MetricData.member.{number}"
        metric = Metric(namespace, datum["MetricName"], dimensions_of(datum.get("Dimensions", []), where))
        for point in _values(datum, _time(datum, now, where), where):
            yield metric, point


def _time(datum: dict[str, Any], now: float, where: str) -> int:
    moment: datetime | None = datum.get("Timestamp")
    seconds = now if moment is None else moment.timestamp()
    if seconds < now - OLDEST_SECONDS:
        raise invalid_value(f"The parameter {where}.Timestamp must specify a time within the past two weeks.")
    if seconds > now + NEWEST_SECONDS:
        raise invalid_value(f"The parameter {where}.Timestamp must specify a time no more than two hours ahead.")
    resolution = datum.get("StorageResolution", STANDARD_RESOLUTION)
    if resolution not in (1, STANDARD_RESOLUTION):
        raise invalid_value(f"The parameter {where}.StorageResolution must be one of [1, {STANDARD_RESOLUTION}].")
    return int(seconds // resolution * resolution)


def _values(datum: dict[str, Any], moment: int, where: str) -> list[Point]:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not given:
        names = ", ".join(f"{where}.{name}" for name in ("Values", "Value", "StatisticValues"))
        raise missing(f"At least one of the parameters {names} must be specified.")
    if len(given) > 1:
        one, other = (f"{where}.{name}" for name in given[:2])
        raise invalid_combination(
            f"The parameters {one} and {other} are mutually exclusive and you have specified both."
        )
    unit = datum.get("Unit", "None")
    if "Value" in datum:
        return [Point.of(moment, _number(datum["Value"], f"{where}.Value"), unit)]
    if "StatisticValues" in datum:
        return [_statistics(datum["StatisticValues"], moment, unit, f"{where}.StatisticValues")]
    return [Point.of(moment, value, unit, count) for value, count in _counted(datum, where)]


def _counted(datum: dict[str, Any], where: str) -> list[tuple[float, float]]:
    values = [_number(value, f"{where}.Values") for value in datum["Values"]]
    counts = datum.get("Counts", [1.0] * len(values))
    for name, items in (("Values", values), ("Counts", counts)):
        if len(items) > MAX_VALUES:
            raise invalid_value(f"The collection {where}.{name} must not have a size greater than {MAX_VALUES}.")
    if len(values) != len(counts):
        raise invalid_value(f"The parameters {where}.Values and {where}.Counts must be of the same size.")
    if not values:
        raise missing(f"The parameter {where}.Values must have at least one value.")
    for count in counts:
        if not count > 0:
            raise invalid_value(f"The value {count:g} for parameter {where}.Counts is invalid.")
    return list(zip(values, counts, strict=True))


def _statistics(given: dict[str, float], moment: int, unit: str, where: str) -> Point:
    for name, value in given.items():
        _number(value, f"{where}.{name}")
    count, least, most = given["SampleCount"], given["Minimum"], given["Maximum"]
    if not count > 0:
        raise invalid_value(f"The value {count:g} for parameter {where}.SampleCount is invalid.")
    if least > most:
        raise invalid_combination(f"The parameter {where}.Maximum must be greater than or equal to {where}.Minimum.")
    return Point(moment, count, given["Sum"], least, most, unit)


def _number(value: float, where: str) -> float:
    if not math.isfinite(value) or abs(value) > GREATEST:
        shown = "NaN" if math.isnan(value) else f"{value:g}"
        raise invalid_value(f"The value {shown} for parameter {where} is invalid.")
    return value
