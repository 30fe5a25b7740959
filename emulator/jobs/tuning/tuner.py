"""The supervisor of all tuning jobs: launches training jobs, watches them, and ends what has enough.

It runs training jobs as anybody does, by CreateTrainingJob, StopTrainingJob and their rows. All state is in the
database: a job is noted under its name before it is created, so a restart finds it instead of making it twice.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from functools import partial
from typing import Any, Protocol

from emulator.jobs.failures import internal
from emulator.jobs.training import KIND as TRAINING
from emulator.jobs.tuning.turn import KIND, Turn, Watched, finish
from emulator.store.log_streams import LogStreams
from emulator.store.resources import Resource, Resources, Scope

POLL_SECONDS = 0.5
"""How often logs are read and limits of time are looked at."""
_ACTIVE = ("InProgress", "Stopping")

logger = logging.getLogger(__name__)


class Invoke(Protocol):
    """Call an operation as a client would."""

    def __call__(self, scope: Scope, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]: ...


class Tuner:
    """One thread for all tuning jobs; it sleeps while there is none."""

    def __init__(self, resources: Resources, logs: LogStreams, invoke: Invoke) -> None:
        self._resources = resources
        self._logs = logs
        self._invoke = invoke
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._watched: dict[str, Watched] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        resources.subscribe(self._heard)

    def take_up(self) -> None:
        """There is a new tuning job."""
        self._begin()

    def start(self) -> None:
        """Take up the tuning jobs that an earlier emulator left."""
        if self._resources.with_status(KIND, *_ACTIVE):
            self._begin()

    def close(self) -> None:
        """Leave every tuning job as it is; it goes on at the next start."""
        with self._lock:
            self._closed.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _heard(self, resource: Resource) -> None:
        ended = resource.kind == TRAINING and resource.status not in _ACTIVE
        if ended or (resource.kind == KIND and resource.status == "Stopping"):
            self._wake.set()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="tuner", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            active = self._resources.with_status(KIND, *_ACTIVE)
            self._watched = {job.arn: self._watched.get(job.arn) or Watched() for job in active}
            for job in active:
                self._take(job)
            self._wake.wait(POLL_SECONDS if active else None)
            self._wake.clear()

    def _take(self, job: Resource) -> None:
        call = partial(self._invoke, job.scope, "sagemaker")
        try:
            Turn(job, self._resources, self._logs, call, self._watched[job.arn], time.time()).take()
        except sqlite3.OperationalError as error:  # a full disk: the next turn does what this one could not store
            logger.error("Tuning job %s waits: %s", job.arn, error)
        except Exception as error:
            if self._closed.is_set():
                return
            logger.exception("Tuning job %s failed inside the emulator", job.arn)
            reason = internal(f"{type(error).__name__}: {error}")
            self._resources.update(job.arn, lambda current: finish(current, "Failed", reason, time.time()))
