"""A job's program while it runs: its output, its limit of time, and how it is ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from emulator.jobs.failures import JobFailure, internal
from emulator.jobs.instances import Limits
from emulator.jobs.kind import Cause, Ending
from emulator.launchers.launcher import Exit, Launch, Launcher, Process
from emulator.store.log_files import LogWriter

POLL_SECONDS = 1.0
"""How often a folder that is uploaded while the job runs is looked at."""

TAIL_BYTES = 64 << 10
"""How much is kept in memory of output that a full disk has no room for."""

UNNEEDED_GRACE_SECONDS = 3.0
"""How long a program whose work nobody waits for any more may take to end by itself."""

logger = logging.getLogger(__name__)


class Program:
    """One command, from before its launch to its end. ``stop`` and ``kill`` may be called from any thread, any time."""

    def __init__(self, grace_seconds: float, expired: Callable[[], None]) -> None:
        """``expired`` is called when the program has run for its time; it is to stop it."""
        self._grace = grace_seconds
        self._expired = expired
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._cause: Cause = "exit"
        self._killed = False
        self._killer: threading.Timer | None = None
        self._failure: str | None = None

    def stop(self, cause: Cause = "stop") -> None:
        """End the program as AWS does: SIGTERM, SIGKILL after a grace. Returns at once."""
        with self._lock:
            if self._cause != "exit":
                return
            self._cause = cause
            if self._process is not None:
                self._terminate(self._process, UNNEEDED_GRACE_SECONDS if cause == "peer" else None)

    def fail(self, reason: str) -> None:
        """End the program, for which the job fails whatever it exits with. Returns at once."""
        with self._lock:
            if self._failure is None:
                self._failure = reason
        self.stop("done")

    def kill(self) -> None:
        """End the program now."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def run(
        self,
        launcher: Launcher,
        launch: Launch,
        max_runtime: float,
        meanwhile: Callable[[], None] | None,
        drive: Callable[[Process], None] | None,
        watch: Callable[[Process], None],
    ) -> Ending:
        """Launch the program, have ``watch`` see it, and wait for its end, calling ``meanwhile`` every now and then.

        ``drive`` makes use of a server, in a thread of its own; when it is done the program is ended.
        """
        process = launcher.launch(launch)
        driver = threading.Thread(target=self._drive, args=(process, drive), name=f"drive-{launch.job_id}")
        try:
            with self._lock:
                self._process = process
                if self._killed:
                    process.kill()
                elif self._cause != "exit":
                    self._terminate(process)
            watch(process)
            if drive is not None:
                driver.start()
            exited = self._wait(process, max_runtime, meanwhile)
            if drive is not None:
                driver.join()
            return Ending(exited, self._cause, self._failure)
        except BaseException:
            process.kill()
            process.wait(None)
            raise
        finally:
            with self._lock:
                self._process = None
                if self._killer is not None:
                    self._killer.cancel()

    def _drive(self, process: Process, drive: Callable[[Process], None]) -> None:
        try:
            drive(process)
        except JobFailure as failure:
            self._failure = failure.reason
        except Exception as error:
            logger.exception("A server's driver met a fault inside the emulator")
            self._failure = internal(f"{type(error).__name__}: {error}")
        with self._lock:
            if self._process is not None and self._cause == "exit" and process.wait(0) is None:
                self._cause = "done"
                self._terminate(process, UNNEEDED_GRACE_SECONDS)

    def _wait(self, process: Process, max_runtime: float, meanwhile: Callable[[], None] | None) -> Exit:
        deadline: float | None = time.monotonic() + max_runtime
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            poll = None if meanwhile is None else POLL_SECONDS
            exited = process.wait(min((t for t in (remaining, poll) if t is not None), default=None))
            if exited is not None:
                return exited
            if meanwhile is not None:
                meanwhile()
            if deadline is not None and time.monotonic() >= deadline:
                deadline = None
                self._expired()

    def _terminate(self, process: Process, at_most: float | None = None) -> None:
        process.terminate()
        self._killer = threading.Timer(self._grace if at_most is None else min(self._grace, at_most), process.kill)
        self._killer.daemon = True
        self._killer.start()


class Output:
    """Takes a program's output into its log; on a full disk the program goes on, and only its last output is kept."""

    def __init__(self, log: LogWriter, name: str) -> None:
        self._log = log
        self._name = name
        self._tail = b""
        self.error: OSError | None = None
        """Why the log is cut off, if it is."""

    def write(self, data: bytes) -> None:
        if self.error is None:
            try:
                self._log.write(data)
                return
            except OSError as error:
                self.error = error
                logger.error("The log of %s is cut off: %s", self._name, error)
        self._tail = (self._tail + data)[-TAIL_BYTES:]

    def complete(self, log: LogWriter) -> None:
        """Append what was kept of the lost output, once there is room again."""
        if self.error is not None:
            log.line(f"output is missing here: {self.error.strerror}")
            log.write(self._tail)


def explain(ending: Ending, limits: Limits, log: LogWriter) -> None:
    """Say in the log what the exit code alone does not."""
    with suppress(OSError):
        if ending.exited.out_of_memory:
            log.line(f"killed: out of memory, the limit is {limits.memory_bytes >> 20} MiB ({limits.source})")
        elif ending.exited.signal is not None and ending.cause == "exit":
            log.line(f"killed by signal {ending.exited.signal}")
