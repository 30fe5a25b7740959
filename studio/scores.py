"""Metrics of executions for lists: read in the background a few at a time, and remembered.

A list of executions never waits for all of them: what is not there within ``PATIENCE_SECONDS`` is shown as to come and
arrives with the page's live parts, or when the page is loaded again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from studio.aws import Aws, Problem
from studio.compare import measure
from studio.execution import load_states
from studio.remembered import Remembered

PATIENCE_SECONDS = 0.06
AT_ONCE = 4
"""Executions that are read at a time: AWS throttles those who ask for much."""
REMEMBERED = 5000
FRESH_SECONDS = {"Succeeded": float("inf"), "Failed": 60.0, "Stopped": 60.0}
"""How long a reading holds. One that succeeded never changes; others may be retried, or go on."""
FRESH_WHILE_RUNNING_SECONDS = 3.0

Figures = dict[tuple[str, str], float]
Found = tuple[Figures, list[Problem]]
"""What was read, and what could not be."""


@dataclass(frozen=True, slots=True)
class _Reading:
    future: Future[Found]
    status: str
    begun: float

    def is_fresh(self, status: str) -> bool:
        if not self.future.done():
            return True
        age = time.monotonic() - self.begun
        return status == self.status and age < FRESH_SECONDS.get(status, FRESH_WHILE_RUNNING_SECONDS)


class Scores:
    """The figures of executions, by ARN."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._readings: Remembered[str, _Reading] = Remembered(REMEMBERED)
        self._earlier: Remembered[str, Figures] = Remembered(REMEMBERED)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scores")

    def of(self, statuses: Mapping[str, str], aws: Aws) -> dict[str, Figures | None]:
        """The figures of executions, given their statuses; None where they are still to come.

        What could not be read is noted among the gaps of ``aws``.
        """
        futures = {arn: self._reading(arn, status) for arn, status in statuses.items()}
        wait(futures.values(), timeout=PATIENCE_SECONDS)
        return {arn: self._result(arn, future, aws) for arn, future in futures.items()}

    def _reading(self, arn: str, status: str) -> Future[Found]:
        with self._lock:
            known = self._readings.get(arn)
            if known is None or not known.is_fresh(status):
                reading = _Reading(self._pool.submit(self._read, arn), status, time.monotonic())
                known = self._readings.put(arn, reading)
            return known.future

    def _read(self, arn: str) -> Found:
        reader = self._aws.reader()
        ask = partial(_measure, reader, arn)
        return reader.optional(ask, {}), reader.gaps

    def _result(self, arn: str, future: Future[Found], aws: Aws) -> Figures | None:
        """What was read; while it is being read again, what was read before."""
        if not future.done():
            return self._earlier.get(arn)
        figures, gaps = future.result()
        aws.gaps.extend(gaps)
        return self._earlier.put(arn, figures)


def _measure(aws: Aws, arn: str) -> Figures:
    return measure(aws, aws.definition(arn), load_states(aws, arn)).figures
