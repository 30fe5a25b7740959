"""One job from its inputs to its verdict.

    stage -> launch -> wait -> note how it ended -> upload -> verdict
      ^                                 |
      +--- wait for instances <---------+ interrupted

A job has one or several hosts, each with a folder, a log and a program of its own; they are staged one after the other,
run together and are judged as one. Crash-only: until the ending is noted on disk, an interrupted job runs again from
clean inputs; from then on only the uploads are done again, with the files the programs left.
"""

from __future__ import annotations

import heapq
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from emulator.images import Environment, ImageError
from emulator.jobs import ending_file
from emulator.jobs.failures import MAX_REASON, JobFailure, image_unusable, internal, is_internal
from emulator.jobs.host_run import HostRun, Parts
from emulator.jobs.kind import Ending, JobKind, Phase, Verdict, Work
from emulator.jobs.plan import Plan
from emulator.jobs.programs import Programs
from emulator.jobs.servers import Servers
from emulator.jobs.tree import Trees, remove_tree
from emulator.jobs.uploads import Uploader
from emulator.launchers.launcher import Lan
from emulator.store.log_streams import LogEvent, LogResourceNotFound, LogStream
from emulator.store.resources import Resource

RETRY_SECONDS = 1.0
"""How long to wait before writing a verdict again that the disk had no room for."""

LOOK_SECONDS = 0.2
"""How often a job that waits for instances looks whether it is to be stopped."""

logger = logging.getLogger(__name__)


class Interrupted(Exception):
    """The emulator closes: the job stays as it is and runs again at the next start."""


class Stopped(Exception):
    """The job was stopped before its program started."""


def run_folder(root: Path, job: Resource) -> Path:
    """The private folder of a job: short, and never used by another."""
    return root / f"{job.kind}-{job.id}"


class JobRun:
    """One attempt at a job. ``execute`` runs in a supervisor thread; the other methods may be called from any."""

    def __init__(self, job: Resource, kind: JobKind, parts: Parts) -> None:
        self.job = job
        self._kind = kind
        self._parts = parts
        self._directory = run_folder(parts.root, job)
        self._machines = kind.hosts(job)
        self._lock = threading.Lock()
        self._programs = self._new_programs()
        self._absent_until = 0.0
        self._hosts: list[HostRun] = []

    # From other threads

    def stop(self) -> None:
        """End the programs as AWS does: SIGTERM, SIGKILL after a grace. Returns at once."""
        with self._lock:
            self._programs.stop()

    def interrupt(self, seconds: float) -> None:
        """Take the job's instances away for some seconds: its programs end as if it were stopped. Returns at once."""
        with self._lock:
            self._absent_until = time.time() + seconds
            self._programs.stop("interrupt")

    def kill(self) -> None:
        """Kill the programs; the job stays as it is."""
        with self._lock:
            self._programs.kill()

    # In the supervisor's thread

    def execute(self) -> None:
        """Run the job and write its verdict; raises nothing."""
        try:
            verdict = self._explained(self._judge())
        except Interrupted:
            return
        try:
            self._write(verdict)
        except Exception as error:
            logger.exception("The verdict of %s cannot be written", self.job.arn)
            self._write(Verdict("Failed", internal(f"{type(error).__name__}: {error}")))
        self._clean()
        for host in self._hosts:
            host.complete_log()

    def _judge(self) -> Verdict:
        """How the job ended, after as many attempts as it may have where the fault is the service's."""
        verdict = self._judged(self._attempt)
        for _ in range(self._kind.retries(self.job)):
            if verdict.status != "Failed" or not is_internal(verdict.reason):
                break
            verdict = self._judged(self._retry)
        return verdict

    def _judged(self, attempt: Callable[[], Verdict]) -> Verdict:
        try:
            return attempt()
        except Interrupted:
            raise
        except Stopped:
            return Verdict("Stopped")
        except JobFailure as failure:
            return Verdict("Failed", failure.reason)
        except Exception as error:
            if self._parts.closing.is_set():
                raise Interrupted from error
            logger.exception("Job %s failed inside the emulator", self.job.arn)
            return Verdict("Failed", internal(f"{type(error).__name__}: {error}"))

    def _explained(self, verdict: Verdict) -> Verdict:
        """A failed verdict with the full disk named that may be its cause."""
        error = next((host.log_error for host in self._hosts if host.log_error), None)
        if error is None or verdict.status != "Failed":
            return verdict
        return replace(verdict, reason=f"{verdict.reason} ({error.strerror} on the emulator's disk)"[:MAX_REASON])

    def _retry(self) -> Verdict:
        self._leave()
        self._advance(Phase.STARTING)
        return self._attempt()

    def _attempt(self) -> Verdict:
        while (verdict := self._stay()) is None:
            if (verdict := self._await_instances()) is not None:
                break
        return verdict

    def _stay(self) -> Verdict | None:
        """One stay on the instances; None if they were taken away before the programs were through."""
        ending = ending_file.read(self._directory)
        if ending is None:
            self._check()
        self._hosts = list(self._make_hosts())
        self._uploader = self._new_uploader()
        try:
            if ending is None:
                ending = self._run()
            if ending.cause == "interrupt":
                self._note_line("interrupted: the instances were taken away")
                self._upload_continuous()
                return None
            self._advance(Phase.UPLOADING)
            return self._conclude(ending)
        except JobFailure as failure:
            with suppress(OSError):
                self._note_line(failure.full)
            raise
        finally:
            for host in self._hosts:
                host.log.close()

    def _await_instances(self) -> Verdict | None:
        """Wait until there are instances again; a verdict if that takes too long."""
        self._advance(Phase.INTERRUPTED)
        self._leave()
        deadline = self._kind.deadline(self.job)
        while (left := self._absent_until - time.time()) > 0:
            self._check()
            if deadline is not None and time.time() >= deadline:
                return Verdict("Stopped", exceeded="MaxWaitTimeExceeded")
            self._parts.closing.wait(min(left, LOOK_SECONDS))
        self._check()
        self._advance(Phase.STARTING)
        return None

    def _leave(self) -> None:
        """Forget the instances, so that the job can be run on others. Whoever had stopped it has stopped it."""
        remove_tree(self._directory)
        with self._lock:
            if not self._programs.stopped:
                self._programs = self._new_programs()
        self._check()

    def _new_programs(self) -> Programs:
        grace = self._parts.settings.stop_grace_seconds
        return Programs(self._machines[0].names, grace, self._kind.failed)

    def _make_hosts(self) -> Iterator[HostRun]:
        for machine in self._machines:
            plan = self._kind.plan(self.job, self._parts.settings, machine)
            yield HostRun(self.job, self._kind, self._parts, plan, self._directory / machine.name)

    def _run(self) -> Ending:
        remove_tree(self._directory)
        plans = {host.plan.image: host.plan for host in self._hosts}
        environments = {image: self._environment(plan) for image, plan in plans.items()}
        self._check()
        self._advance(Phase.DOWNLOADING)
        for host in self._hosts:
            host.prepare()
            self._check()
        self._advance(Phase.RUNNING)
        ending = self._run_programs(environments)
        if self._parts.closing.is_set():
            raise Interrupted
        ending_file.write(self._directory, ending)
        return ending

    def _environment(self, plan: Plan) -> Environment:
        images = self._parts.images
        try:
            return images.environment(images.resolve(plan.image, plan.command.python), self._note_line)
        except ImageError as error:
            raise image_unusable(str(error)) from error

    def _run_programs(self, environments: Mapping[str, Environment]) -> Ending:
        uploads = any(output.continuous for output in self._hosts[0].plan.outputs)
        meanwhile = self._upload_continuous if uploads else None
        servers = Servers()
        with self._lan(environments[self._hosts[0].plan.image]) as lan:
            if lan is not None and lan.shortcoming:
                self._note_line(f"the hosts reach each other and the emulator, but nothing else: {lan.shortcoming}")
            starts = {}
            for host in self._hosts:
                starts[host.name] = partial(
                    host.run,
                    environment=environments[host.plan.image],
                    lan=lan,
                    servers=servers,
                    stopped=self._is_ending,
                    meanwhile=meanwhile,
                )
                meanwhile = None  # one host's thread does it for all
            return self._programs.run(starts)

    def _lan(self, environment: Environment) -> AbstractContextManager[Lan | None]:
        """The network of a job whose hosts work together; those that serve have no need of each other."""
        plan = self._hosts[0].plan
        if len(self._hosts) == 1 or plan.port is not None:
            return nullcontext()
        return closing(self._parts.launcher.lan(environment, plan.host.names, outside=plan.network))

    def _is_ending(self) -> bool:
        return self._programs.stopped or self._parts.closing.is_set()

    def _upload_continuous(self) -> None:
        """Upload what has changed in the folders that are uploaded while the programs run."""
        for output in self._hosts[0].plan.outputs:
            if output.continuous:
                self._uploader.changed(output)

    def _conclude(self, ending: Ending) -> Verdict:
        decisive = next(host for host in self._hosts if host.name == ending.host)
        work = Work(
            job=self.job,
            plan=decisive.plan,
            tree=decisive.tree,
            uploader=self._uploader,
            scratch=self._directory / "archive",
            log_backward=self._log_backward,
            note=self._note_line,
        )
        return self._kind.conclude(work, ending)

    def _log_backward(self) -> Iterator[LogEvent]:
        lines = (self._parts.logs.events_backward(stream, complete=True) for stream in self._streams())
        return heapq.merge(*lines, key=lambda event: -event.timestamp)

    def _streams(self) -> Iterator[LogStream]:
        """Of the hosts, without those that a user has deleted."""
        logs, group = self._parts.logs, self._kind.log_group
        for host in self._hosts:
            with suppress(LogResourceNotFound):
                yield logs.stream(self.job.scope, group, host.stream)

    def _new_uploader(self) -> Uploader:
        trees = Trees([host.tree for host in self._hosts], self._note_line)
        return Uploader(self._parts.objects, trees, self._note_line)

    def _note_line(self, text: str) -> None:
        self._hosts[0].log.line(text)

    def _check(self) -> None:
        if self._parts.closing.is_set():
            raise Interrupted
        if self._programs.stopped or self.job.status == "Stopping":
            raise Stopped

    def _advance(self, phase: Phase) -> None:
        if phase not in self._kind.phases:
            return
        now = time.time()
        updated = self._parts.resources.update(self.job.arn, lambda job: self._kind.advance(job, phase, now))
        if updated is not None:
            self.job = updated

    def _write(self, verdict: Verdict) -> None:
        """Store the verdict, again and again while the disk is full: the job must not be stuck for ever.

        What the job itself left may be what fills the disk, so that goes first: should the emulator be killed before
        the verdict is stored, the job runs again.
        """

        def change(job: Resource) -> None:
            stopped = Verdict("Stopped", None, verdict.members)
            self._kind.finish(job, stopped if job.status == "Stopping" else verdict, time.time())

        while True:
            try:
                self._parts.resources.update(self.job.arn, change)
                return
            except sqlite3.OperationalError as error:
                logger.error("The verdict of %s cannot be stored yet: %s", self.job.arn, error)
                self._clean()
                if self._parts.closing.wait(RETRY_SECONDS):
                    return

    def _clean(self) -> None:
        try:
            remove_tree(self._directory)
        except OSError as error:
            logger.warning("Files of %s are left in %s: %s", self.job.arn, self._directory, error)
