"""ListMetrics."""

from __future__ import annotations

import time

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.cloudwatch import tokens
from emulator.services.cloudwatch.naming import written
from emulator.services.context import Context
from emulator.store.metrics import Wanted

PAGE = 500
LISTED_SECONDS = 14 * 86_400
"""Metrics without data in the past two weeks are not listed (API reference)."""
RECENTLY_SECONDS = 3 * 3_600


@operation("cloudwatch", "ListMetrics", blocking=True)
def list_metrics(request: Request, context: Context) -> Response:
    if request.get("IncludeLinkedAccounts") or "OwningAccount" in request:
        raise NotImplementedHere("OwningAccount, IncludeLinkedAccounts: the emulator has no linked accounts.")
    wanted = Wanted(
        namespace=request.get("Namespace"),
        name=request.get("MetricName"),
        dimensions={pair["Name"]: pair.get("Value") for pair in request.get("Dimensions", [])},
        active_since=time.time() - (RECENTLY_SECONDS if "RecentlyActive" in request else LISTED_SECONDS),
    )
    after = tokens.decode(request.get("NextToken"))
    page, following = context.app.metrics.metrics(context.scope, wanted, after, PAGE)
    found = [
        {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": written(metric.dimensions)}
        for metric in page
    ]
    return {"Metrics": found, "NextToken": tokens.encode(following)}
