"""GetMetricStatistics."""

from __future__ import annotations

import time
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.cloudwatch.errors import invalid_combination, invalid_value, missing
from emulator.services.cloudwatch.naming import metric_of
from emulator.services.cloudwatch.periods import Bucket, Statistic, aligned, check_period, gather, statistic
from emulator.services.context import Context

MAX_DATAPOINTS = 1440


@operation("cloudwatch", "GetMetricStatistics", blocking=True)
def get_metric_statistics(request: Request, context: Context) -> Response:
    metric, period = metric_of(request, "GetMetricStatistics"), request["Period"]
    plain = {name: statistic(name, "Statistics") for name in request.get("Statistics", [])}
    extended = {name: statistic(name, "ExtendedStatistics") for name in request.get("ExtendedStatistics", [])}
    if not plain and not extended:
        raise missing("Must specify either Statistics or ExtendedStatistics")
    start, end = _range(request, period)
    points = context.app.metrics.points(context.scope, metric, start, end, request.get("Unit"))
    found = [_datapoint(bucket, plain, extended) for bucket in gather(points, start, period, by_unit=True)]
    return {"Label": metric.name, "Datapoints": [datapoint for datapoint in found if datapoint is not None]}


def _range(request: Request, period: int) -> tuple[int, float]:
    check_period(period)
    start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
    if start >= end:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    count = int((end - start) // period)
    if count > MAX_DATAPOINTS:
        raise invalid_combination(
            f"You have requested up to {count} datapoints, which exceeds the limit of {MAX_DATAPOINTS}. You may reduce"
            " the datapoints requested by increasing Period, or decreasing the time range."
        )
    return aligned(start, period, time.time()), end


def _datapoint(bucket: Bucket, plain: dict[str, Statistic], extended: dict[str, Statistic]) -> dict[str, Any] | None:
    """What a period answers; None where sets of values hide all that is asked for."""
    values = {name: compute(bucket) for name, compute in plain.items()}
    percentiles = {name: value for name, compute in extended.items() if (value := compute(bucket)) is not None}
    if percentiles:
        values["ExtendedStatistics"] = percentiles  # type: ignore[assignment]
    return {"Timestamp": bucket.start, "Unit": bucket.unit, **values} if values else None
