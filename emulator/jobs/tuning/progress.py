"""What running training jobs have reported of their objective so far, read from their logs."""

from __future__ import annotations

from emulator.jobs.hosts import log_stream
from emulator.jobs.metrics import Expression
from emulator.jobs.training import Training
from emulator.store.log_streams import LogResourceNotFound, LogStreams
from emulator.store.resources import Resource


class Progress:
    """The series of one training job; each ``update`` reads only what is new."""

    def __init__(self, logs: LogStreams, regex: str) -> None:
        self.series: list[float] = []
        self._logs = logs
        self._expression = Expression(regex)
        self._position = 0

    def update(self, job: Resource) -> None:
        """Lines of an earlier run, which a crash interrupted, do not count."""
        started = job.body.get("TrainingStartTime")
        if started is None:
            return
        try:
            stream = self._logs.stream(job.scope, Training.log_group, log_stream(job, "algo-1"))
        except LogResourceNotFound:
            return
        for event in self._logs.events(stream, self._position):
            self._position = event.end
            value = self._expression.value_in(event.message) if event.timestamp >= started * 1000 else None
            if value is not None:
                self.series.append(value)
