"""What a job used of its machines through time: processor, memory, disk and GPU, from CloudWatch.

SageMaker publishes these once a minute in the namespaces of its log groups, with the dimension ``Host`` of the value
``job/algo-1``, of a transform job ``job/i-0123456789abcdef0`` (Developer Guide, "Amazon SageMaker AI metrics in Amazon
CloudWatch").
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from studio.aws import Aws
from studio.job_view import JobView
from studio.logs import streams_of
from studio.series import Series

NAMES = (
    "CPUUtilization",
    "MemoryUtilization",
    "DiskUtilization",
    "GPUUtilization",
    "GPUMemoryUtilization",
)
MOST_HOSTS = 8
FINE, COARSE = 1, 60
"""Seconds between values: the finest that CloudWatch has, which it keeps for three hours, and the usual."""
FINE_KEPT = timedelta(hours=3)
LONGEST_FINE = timedelta(minutes=10)
AROUND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Usage:
    """A metric as a curve per host."""

    name: str
    hosts: tuple[Series, ...]

    @property
    def is_short(self) -> bool:
        """Whether there is no more than a value for each host, which makes no curve."""
        return all(len(series.points) == 1 for series in self.hosts)

    @property
    def most(self) -> float:
        return max(value for series in self.hosts for _, value in series.points)

    @property
    def curves(self) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
        return [(series.name, series.points) for series in self.hosts]


def read_usage(aws: Aws, job: JobView, now: datetime | None = None) -> list[Usage]:
    """The metrics that CloudWatch has of a job; none of a kind that has none, or while nothing is published.

    Raises:
        Problem: AWS refused.
    """
    if job.kind.log_group is None or job.started is None:
        return []
    now = now or datetime.now(UTC)
    ended = job.ended or now
    fine = now - job.started < FINE_KEPT and ended - job.started < LONGEST_FINE
    hosts = _hosts(aws, job)[:MOST_HOSTS]
    if not hosts:
        return []
    wanted = [(name, host) for name in NAMES for host in hosts]
    answer = aws.call(
        "cloudwatch",
        "get_metric_data",
        MetricDataQueries=[
            _query(f"q{number}", job, name, host, FINE if fine else COARSE)
            for number, (name, host) in enumerate(wanted)
        ],
        StartTime=job.started - AROUND,
        EndTime=ended + AROUND,
        ScanBy="TimestampAscending",
    )
    found: dict[str, list[Series]] = defaultdict(list)
    for result in answer["MetricDataResults"]:
        name, host = wanted[int(result["Id"][1:])]
        times = [(moment - job.started).total_seconds() for moment in result["Timestamps"]]
        if times:
            found[name].append(Series(host, tuple(zip(times, result["Values"], strict=True))))
    return [Usage(name, tuple(found[name])) for name in NAMES if found[name]]


def _hosts(aws: Aws, job: JobView) -> list[str]:
    """What its machines are called: those of a transform job by ids, which only the names of its log streams tell."""
    if job.kind.stem != "TransformJob":
        return job.hosts
    streams = (stream.split("/")[1] for stream in streams_of(aws, job.kind, job.name))
    return list(dict.fromkeys(stream.rpartition("-")[0] for stream in streams))


def _query(identifier: str, job: JobView, name: str, host: str, period: int) -> dict[str, Any]:
    metric = {
        "Namespace": job.kind.log_group,
        "MetricName": name,
        "Dimensions": [{"Name": "Host", "Value": f"{job.name}/{host}"}],
    }
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}}
