"""What running training jobs have reported of their objective so far, read from their logs."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.jobs.hosts import cluster, log_stream
from emulator.jobs.metrics import Expression
from emulator.jobs.training import Training
from emulator.store.log_streams import LogEvent, LogResourceNotFound, LogStreams
from emulator.store.resources import Resource


class Progress:
    """The series of one training job; each ``update`` reads only what is new."""

    def __init__(self, logs: LogStreams, regex: str) -> None:
        self.series: list[float] = []
        self._logs = logs
        self._expression = Expression(regex)
        self._positions: dict[str, int] = {}
        """How far each host's log was read."""

    def update(self, job: Resource) -> None:
        """Lines of an earlier run, which a crash interrupted, do not count."""
        started = job.body.get("TrainingStartTime")
        if started is None:
            return
        new = [event for host in cluster(job.body["ResourceConfig"]) for event in self._new_lines(job, host.name)]
        for event in sorted(new, key=lambda event: event.timestamp):
            value = self._expression.value_in(event.message) if event.timestamp >= started * 1000 else None
            if value is not None:
                self.series.append(value)

    def _new_lines(self, job: Resource, host: str) -> Iterator[LogEvent]:
        try:
            stream = self._logs.stream(job.scope, Training.log_group, log_stream(job, host))
        except LogResourceNotFound:
            return
        for event in self._logs.events(stream, self._positions.get(host, 0)):
            self._positions[host] = event.end
            yield event
