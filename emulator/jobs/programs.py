"""The programs of all hosts of a job, which share one fate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace

from emulator.jobs.kind import Cause, Ending
from emulator.jobs.program import Program

Start = Callable[[Program], Ending]
"""Runs one host's program to its end."""


class Programs:
    """One program for each host: what ends one for the job ends all. Methods may be called from any thread, any time.

    A host that is through goes before the others, as on AWS; one that fails takes them along.
    """

    def __init__(self, hosts: tuple[str, ...], grace_seconds: float, failed: Callable[[Ending], bool]) -> None:
        """``failed``: whether the job fails for how one host's program ended."""
        self._programs = {host: Program(grace_seconds, lambda: self.stop("max-runtime")) for host in hosts}
        self._failed = failed
        self._lock = threading.Lock()
        self._cause: Cause = "exit"
        self._endings: dict[str, Ending] = {}
        self._decisive: Ending | None = None
        self._error: BaseException | None = None

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._cause == "stop"

    def stop(self, cause: Cause = "stop") -> None:
        """End all programs as AWS does: SIGTERM, SIGKILL after a grace. Returns at once."""
        with self._lock:
            if self._cause == "interrupt" and cause == "stop":
                self._cause = cause
            if self._cause != "exit":
                return
            self._cause = cause
        for program in self._programs.values():
            program.stop(cause)

    def kill(self) -> None:
        """End all programs now."""
        for program in self._programs.values():
            program.kill()

    def run(self, starts: Mapping[str, Start]) -> Ending:
        """Run every host's program; how the job's ended: as the first that failed, if one did.

        Raises:
            Exception: what a host could not be started for, once the other hosts have ended.
        """
        first, *others = starts
        with ExitStack() as stack:
            for host in others:
                thread = threading.Thread(target=self._run, args=(host, starts[host]), name=f"host-{host}", daemon=True)
                thread.start()
                stack.callback(thread.join)
            self._run(first, starts[first])
        if self._error is not None:
            raise self._error
        ending = self._decisive or self._endings[first]
        return ending if self._cause == "exit" else replace(ending, cause=self._cause)

    def _run(self, host: str, start: Start) -> None:
        try:
            ending = replace(start(self._programs[host]), host=host)
        except BaseException as error:  # noqa: BLE001  raised again in the thread that waits for all hosts
            self._error = self._error or error
            self.kill()
            return
        with self._lock:
            self._endings[host] = ending
            if self._decisive is not None or not self._failed(ending):
                return
            self._decisive = ending
        for program in self._programs.values():
            program.stop("peer")
