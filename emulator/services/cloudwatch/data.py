"""GetMetricData: many metrics at once, page by page."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.cloudwatch import tokens
from emulator.services.cloudwatch.errors import invalid_value, validation
from emulator.services.cloudwatch.expressions import Series, evaluate
from emulator.services.cloudwatch.naming import metric_of
from emulator.services.cloudwatch.periods import aligned, check_period, gather, statistic
from emulator.services.context import Context

MAX_QUERIES, MAX_DATAPOINTS = 500, 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Returned:
    """The values of one query, in the order that was asked for."""

    id: str
    label: str
    values: list[tuple[int, float]]


@operation("cloudwatch", "GetMetricData", blocking=True)
def get_metric_data(request: Request, context: Context) -> Response:
    queries = request["MetricDataQueries"]
    _check(queries)
    by_id = Queries(request, context)
    found = [
        Returned(query["Id"], label, by_id.values(query["Id"]))
        for query, label in zip(queries, _labels(queries), strict=True)
        if query.get("ReturnData", True)
    ]
    skip, limit = tokens.decode(request.get("NextToken")), request.get("MaxDatapoints", MAX_DATAPOINTS)
    if not 1 <= limit <= MAX_DATAPOINTS:
        raise invalid_value(f"The parameter MaxDatapoints must be between 1 and {MAX_DATAPOINTS}.")
    more = sum(len(series.values) for series in found) > skip + limit
    results = [_result(series, skip - before, limit) for series, before in _offsets(found)]
    return {"MetricDataResults": results, "NextToken": tokens.encode(skip + limit if more else None), "Messages": []}


def _check(queries: list[dict[str, Any]]) -> None:
    if not queries:
        raise validation("The collection MetricDataQueries must not be empty.")
    if len(queries) > MAX_QUERIES:
        raise validation(f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
    for number, query in enumerate(queries, 1):
        _check_query(query, f"MetricDataQueries.member.{number}")
    twice = [name for name, count in Counter(query["Id"] for query in queries).items() if count > 1]
    if twice:
        raise validation(f"The values for parameter id in MetricDataQueries are not unique: {', '.join(twice)}.")


def _check_query(query: dict[str, Any], where: str) -> None:
    if not _ID.fullmatch(query["Id"]):
        raise validation(
            f"The value {query['Id']} for parameter {where}.Id is not matching the expected pattern ^{_ID.pattern}$."
        )
    if "AccountId" in query:
        raise NotImplementedHere(f"{where}.AccountId: the emulator has no linked accounts.")
    if ("MetricStat" in query) == ("Expression" in query):
        raise validation(f"Either {where}.MetricStat or {where}.Expression must be specified, and not both.")
    if "${" in query.get("Label", ""):
        raise NotImplementedHere(f"{where}.Label: the emulator has no dynamic labels yet; give a plain text.")
    if "MetricStat" in query:
        if "Period" in query:
            raise validation(f"{where}.Period is for expressions; a metric has MetricStat.Period.")
        check_period(query["MetricStat"]["Period"], f"{where}.MetricStat.Period")


def _labels(queries: list[dict[str, Any]]) -> list[str]:
    """A metric is labelled by its name, and where several queries have the same, by its statistic too.

    An expression is labelled by its id.
    """
    asked = [query.get("MetricStat", {}) for query in queries]
    names = [
        each["Metric"].get("MetricName", "") if each else query["Id"]
        for query, each in zip(queries, asked, strict=True)
    ]
    counts = Counter(names)
    return [
        query.get("Label") or (name if counts[name] == 1 or not each else f"{name} {each['Stat']}")
        for query, each, name in zip(queries, asked, names, strict=True)
    ]


class Queries:
    """The series of a request's queries by their ids, each computed once."""

    def __init__(self, request: Request, context: Context) -> None:
        self._request = request
        self._context = context
        self._queries = {query["Id"]: query for query in request["MetricDataQueries"]}
        self._series: dict[str, Series] = {}
        self._open: list[str] = []

    def values(self, name: str) -> list[tuple[int, float]]:
        """In the order that was asked for.

        Raises:
            CloudWatchError: an expression is wrong, or stands on too many others.
        """
        try:
            found = sorted(self.series(name).items())
        except RecursionError as error:
            raise validation(f"Error in expression '{name}': it stands on too many others.") from error
        return found if self._request.get("ScanBy") == "TimestampAscending" else found[::-1]

    def series(self, name: str) -> Series:
        """
        Raises:
            CloudWatchError: there is no such query, or it stands on itself.
        """
        if name not in self._queries or name in self._open:
            why = "refers to itself" if name in self._open else "is not the id of a query"
            raise validation(f"Error in expression: '{name}' {why}.")
        if name not in self._series:
            query = self._queries[name]
            self._open.append(name)
            expression = query.get("Expression")
            self._series[name] = (
                evaluate(expression, self.series) if expression else _metric(query, self._request, self._context)
            )
            self._open.pop()
        return self._series[name]


def _metric(query: dict[str, Any], request: Request, context: Context) -> Series:
    asked = query["MetricStat"]
    metric = metric_of(asked["Metric"], "MetricStat.Metric")
    compute, period = statistic(asked["Stat"], "MetricStat.Stat"), asked["Period"]
    start, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
    if start >= end:
        raise validation("The parameter StartTime must be less than the parameter EndTime.")
    start = aligned(start, period, time.time())
    points = context.app.metrics.points(context.scope, metric, start, end, asked.get("Unit"))
    buckets = gather(points, start, period, by_unit=False)
    return {bucket.start: value for bucket in buckets if (value := compute(bucket)) is not None}


def _offsets(found: list[Returned]) -> list[tuple[Returned, int]]:
    """Each series with how many values come before it in all."""
    before, offsets = 0, []
    for series in found:
        offsets.append((series, before))
        before += len(series.values)
    return offsets


def _result(series: Returned, skip: int, limit: int) -> dict[str, Any]:
    """The part of a series on a page that leaves out ``skip`` of its values (a negative number: room that is taken)."""
    end = max(0, skip + limit)
    part = series.values[max(0, skip) : end]
    return {
        "Id": series.id,
        "Label": series.label,
        "Timestamps": [moment for moment, _ in part],
        "Values": [value for _, value in part],
        "StatusCode": "PartialData" if end < len(series.values) else "Complete",
    }
