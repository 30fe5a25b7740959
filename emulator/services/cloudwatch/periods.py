"""Points of a metric gathered by period, and the statistics of each (API reference, GetMetricStatistics)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emulator.aws.errors import NotImplementedHere
from emulator.services.cloudwatch.errors import invalid_value
from emulator.store.metrics import Point

SUB_MINUTE = (1, 5, 10, 20, 30)
_FINE_SECONDS, _MIDDLE_SECONDS = 15 * 86_400, 63 * 86_400
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100(?:\.0{1,10})?)")
_OTHER = re.compile(r"(?i:iqm|(tm|wm|tc|ts|pr)[(\d].*)")


@dataclass(slots=True)
class Bucket:
    """What came in one period; ``start`` in Unix seconds."""

    start: int
    unit: str
    points: list[Point] = field(default_factory=list)

    @property
    def count(self) -> float:
        return sum(point.count for point in self.points)

    @property
    def total(self) -> float:
        return math.fsum(point.total for point in self.points)

    def percentile(self, share: float) -> float | None:
        """The least value that ``share`` of the values do not exceed; None where sets of values hide them."""
        if any(point.minimum != point.maximum for point in self.points):
            return None
        needed, seen = share * self.count, 0.0
        ordered = sorted(self.points, key=lambda point: point.minimum)
        for point in ordered:
            seen += point.count
            if seen >= needed:
                return point.minimum
        return ordered[-1].minimum


Statistic = Callable[[Bucket], "float | None"]
PLAIN: dict[str, Statistic] = {
    "SampleCount": lambda bucket: bucket.count,
    "Average": lambda bucket: bucket.total / bucket.count,
    "Sum": lambda bucket: bucket.total,
    "Minimum": lambda bucket: min(point.minimum for point in bucket.points),
    "Maximum": lambda bucket: max(point.maximum for point in bucket.points),
}


def statistic(name: str, where: str) -> Statistic:
    """The function that computes a statistic by its name, such as ``Average`` or ``p99.9``.

    Raises:
        NotImplementedHere: CloudWatch has it, the emulator does not.
        CloudWatchError: there is no such statistic.
    """
    if name in PLAIN:
        return PLAIN[name]
    if found := _PERCENTILE.fullmatch(name):
        share = float(found[1]) / 100
        return lambda bucket: bucket.percentile(share)
    if _OTHER.fullmatch(name):
        raise NotImplementedHere(
            f"{where} {name}: of extended statistics the emulator has percentiles (p90, p99.9), no trimmed ones yet."
        )
    raise invalid_value(f"The value {name[:100]} for parameter {where} is not supported.")


def check_period(period: int, where: str = "Period") -> None:
    if period not in SUB_MINUTE and period % 60:
        allowed = ", ".join(map(str, SUB_MINUTE))
        raise invalid_value(f"The parameter {where} must be a value in the set [ {allowed} ] or a multiple of 60.")


def aligned(start: float, period: int, now: float) -> int:
    """Where the first period begins: the older the data is asked for, the coarser (API reference, "StartTime")."""
    age = now - start
    if age > _MIDDLE_SECONDS:
        step = 3600
    elif age > _FINE_SECONDS:
        step = 300
    else:
        step = period if period in SUB_MINUTE else 60
    return int(start // step * step)


def gather(points: Iterable[Point], start: int, period: int, *, by_unit: bool) -> list[Bucket]:
    """The points by period, and by unit if so wanted, in order of time; periods without points are left out."""
    buckets: dict[tuple[int, str], Bucket] = {}
    for point in points:
        begin = start + (point.time - start) // period * period
        key = (begin, point.unit if by_unit else "")
        if key not in buckets:
            buckets[key] = Bucket(begin, point.unit)
        buckets[key].points.append(point)
    return [buckets[key] for key in sorted(buckets)]
