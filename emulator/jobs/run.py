"""One job from its inputs to its verdict.

    stage -> launch -> wait -> note how it ended -> upload -> verdict

A job has one or several hosts, each with a folder, a log and a program of its own; they are staged one after the other,
run together and are judged as one. Crash-only: until the ending is noted on disk, an interrupted job runs again from
clean inputs; from then on only the uploads are done again, with the files the programs left.
"""

from __future__ import annotations

import heapq
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from emulator.images import Environment, ImageError
from emulator.jobs.failures import MAX_REASON, JobFailure, image_unusable, internal
from emulator.jobs.host_run import HostRun, Parts
from emulator.jobs.kind import Ending, JobKind, Phase, Verdict, Work
from emulator.jobs.programs import Programs
from emulator.jobs.tree import Trees, remove_tree
from emulator.jobs.uploads import Uploader
from emulator.launchers.launcher import Exit, Lan
from emulator.store.log_streams import LogEvent
from emulator.store.resources import Resource

RETRY_SECONDS = 1.0
"""How long to wait before writing a verdict again that the disk had no room for."""

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
        self._programs = Programs(self._machines[0].names, parts.settings.stop_grace_seconds, kind.failed)
        self._hosts: list[HostRun] = []

    # From other threads

    def stop(self) -> None:
        """End the programs as AWS does: SIGTERM, SIGKILL after a grace. Returns at once."""
        self._programs.stop()

    def kill(self) -> None:
        """Kill the programs; the job stays as it is."""
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
        try:
            return self._attempt()
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

    def _attempt(self) -> Verdict:
        ending = self._noted_ending()
        if ending is None:
            self._check()
        self._hosts = list(self._make_hosts())
        try:
            if ending is None:
                ending = self._run()
            self._advance(Phase.UPLOADING)
            return self._conclude(ending)
        except JobFailure as failure:
            with suppress(OSError):
                self._note_line(failure.full)
            raise
        finally:
            for host in self._hosts:
                host.log.close()

    def _make_hosts(self) -> Iterator[HostRun]:
        for machine in self._machines:
            plan = self._kind.plan(self.job, self._parts.settings, machine)
            yield HostRun(self.job, self._kind, self._parts, plan, self._directory / machine.name)

    def _run(self) -> Ending:
        remove_tree(self._directory)
        environment = self._environment(self._hosts[0].plan.image)
        self._check()
        self._advance(Phase.DOWNLOADING)
        for host in self._hosts:
            host.prepare()
            self._check()
        self._advance(Phase.RUNNING)
        ending = self._run_programs(environment)
        if self._parts.closing.is_set():
            raise Interrupted
        self._note(ending)
        return ending

    def _environment(self, uri: str) -> Environment:
        images = self._parts.images
        try:
            return images.environment(images.resolve(uri), self._note_line)
        except ImageError as error:
            raise image_unusable(str(error)) from error

    def _run_programs(self, environment: Environment) -> Ending:
        meanwhile = self._uploading_meanwhile()
        with self._lan(environment) as lan:
            starts = {}
            for host in self._hosts:
                starts[host.name] = partial(
                    host.run, environment=environment, lan=lan, stopped=self._is_ending, meanwhile=meanwhile
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

    def _uploading_meanwhile(self) -> Callable[[], None] | None:
        outputs = [output for output in self._hosts[0].plan.outputs if output.continuous]
        uploader = self._uploader()

        def upload() -> None:
            for output in outputs:
                uploader.changed(output)

        return upload if outputs else None

    def _conclude(self, ending: Ending) -> Verdict:
        decisive = next(host for host in self._hosts if host.name == ending.host)
        work = Work(
            job=self.job,
            plan=decisive.plan,
            tree=decisive.tree,
            uploader=self._uploader(),
            scratch=self._directory / "archive",
            log_backward=self._log_backward,
            note=self._note_line,
        )
        return self._kind.conclude(work, ending)

    def _log_backward(self) -> Iterator[LogEvent]:
        logs, group = self._parts.logs, self._kind.log_group
        streams = (logs.stream(self.job.scope, group, host.stream) for host in self._hosts)
        lines = (logs.events_backward(stream, complete=True) for stream in streams)
        return heapq.merge(*lines, key=lambda event: -event.timestamp)

    def _uploader(self) -> Uploader:
        trees = Trees([host.tree for host in self._hosts], self._note_line)
        return Uploader(self._parts.objects, trees, self._note_line)

    def _note_line(self, text: str) -> None:
        self._hosts[0].log.line(text)

    def _check(self) -> None:
        if self._parts.closing.is_set():
            raise Interrupted
        if self._programs.stopped or self.job.status == "Stopping":
            raise Stopped

    # What survives a kill

    @property
    def _ending_file(self) -> Path:
        return self._directory / "ending.json"

    def _note(self, ending: Ending) -> None:
        exited = ending.exited
        how = [exited.code, exited.signal, exited.out_of_memory]
        content = {"cause": ending.cause, "exit": how, "failure": ending.failure, "host": ending.host}
        scratch = self._directory / "ending.new"
        scratch.write_text(json.dumps(content))
        scratch.rename(self._ending_file)

    def _noted_ending(self) -> Ending | None:
        try:
            content: dict[str, Any] = json.loads(self._ending_file.read_text())
        except FileNotFoundError:
            return None
        code, signal, out_of_memory = content["exit"]
        exited = Exit(code=code, signal=signal, out_of_memory=out_of_memory)
        return Ending(exited, content["cause"], content["failure"], content["host"])

    def _advance(self, phase: Phase) -> None:
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
