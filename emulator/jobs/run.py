"""One job from its inputs to its verdict.

    stage -> launch -> wait -> note how it ended -> upload -> verdict

Crash-only: until the ending is noted on disk, an interrupted job runs again from clean inputs; from then on only the
uploads are done again, with the files the program left.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.images import Environment, ImageNotFound, Images
from emulator.jobs.failures import OUT_OF_MEMORY, JobFailure, image_not_found, internal
from emulator.jobs.kind import Cause, Ending, JobKind, Phase, Verdict, Work, platform_environment
from emulator.jobs.plan import Plan, below_root
from emulator.jobs.staging import Stage
from emulator.jobs.tree import Tree, remove_tree
from emulator.jobs.uploads import Uploader
from emulator.launchers.launcher import Exit, Launch, Launcher, Mount, Process
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.log_streams import LogStreams
from emulator.store.objects import ObjectStore
from emulator.store.resources import Resource, Resources

POLL_SECONDS = 1.0
"""How often a folder that is uploaded while the job runs is looked at."""
RETRY_SECONDS = 1.0
"""How long to wait before writing a verdict again that the disk had no room for."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every job of this emulator stands on."""

    settings: Settings
    resources: Resources
    objects: ObjectStore
    logs: LogStreams
    images: Images
    launcher: Launcher
    root: Path
    memory_limit_bytes: int
    endpoint_url: Callable[[], str]
    closing: threading.Event


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
        self._stream = f"{job.name}/algo-1-{int(job.created)}"
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._cause: Cause = "exit"
        self._killer: threading.Timer | None = None

    # From other threads

    def stop(self) -> None:
        """End the program as AWS does: SIGTERM, SIGKILL after a grace. Returns at once."""
        self._end("stop")

    def kill(self) -> None:
        """Kill the program; the job stays as it is."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    # In the supervisor's thread

    def execute(self) -> None:
        """Run the job and write its verdict; raises nothing."""
        try:
            verdict = self._judge()
        except Interrupted:
            return
        self._write(verdict)
        self._clean()

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

    def _attempt(self) -> Verdict:
        ending = self._noted_ending()
        if ending is None:
            self._check()
        plan = self._kind.plan(self.job, self._parts.settings)
        log = self._parts.logs.writer(self.job.scope, self._kind.log_group, self._stream)
        try:
            if ending is None:
                ending = self._run(plan, log)
            self._advance(Phase.UPLOADING)
            return self._conclude(plan, ending, log)
        except JobFailure as failure:
            with suppress(OSError):
                log.line(failure.reason)
            raise
        finally:
            log.close()

    def _run(self, plan: Plan, log: LogWriter) -> Ending:
        remove_tree(self._directory)
        environment = self._environment(plan.image, log)
        self._check()
        self._advance(Phase.DOWNLOADING)
        mounts = self._prepare(plan)
        self._check()
        self._advance(Phase.RUNNING)
        process = self._launch(plan, environment, mounts, log)
        try:
            ending = self._wait(process, plan, log)
        except BaseException:
            process.kill()
            process.wait(None)
            raise
        finally:
            self._disarm()
        self._note(ending)
        return ending

    def _environment(self, uri: str, log: LogWriter) -> Environment:
        try:
            image = self._parts.images.resolve(uri)
        except ImageNotFound as error:
            raise image_not_found(str(error)) from error
        return self._parts.images.environment(image, log.line)

    def _prepare(self, plan: Plan) -> list[Mount]:
        """Make the job's ``/opt/ml`` and stage its inputs."""
        ml = self._ml
        try:
            for folder in plan.folders:
                (ml / folder).mkdir(parents=True, exist_ok=True)
            for name, content in plan.files.items():
                path = ml / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            for item in plan.inputs:
                (ml / below_root(item.path)).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobFailure(f"ClientError: {error.strerror}: {error.filename}") from error
        stage = Stage(self._parts.objects, self.job.scope.region, ml, self._directory / "inputs")
        return stage.lay_out(plan)

    def _launch(self, plan: Plan, environment: Environment, mounts: list[Mount], log: LogWriter) -> Process:
        platform = platform_environment(self.job, self._parts.settings, self._parts.endpoint_url())
        launch = Launch(
            job_id=self._directory.name,
            directory=self._directory,
            environment=environment,
            command=plan.command.resolve(environment.entrypoint, environment.cmd),
            env={**environment.env, **platform, **plan.env},
            hostname=plan.host.name,
            hosts=list(plan.host.names),
            mounts=mounts,
            network=plan.network,
            memory_limit_bytes=self._parts.memory_limit_bytes,
            output=self._keep(log),
        )
        process = self._parts.launcher.launch(launch)
        with self._lock:
            self._process = process
            stopped_meanwhile = self._cause == "stop"
        if self._parts.closing.is_set():
            process.kill()
        elif stopped_meanwhile:
            self._terminate(process)
        return process

    def _keep(self, log: LogWriter) -> Callable[[bytes], None]:
        """Take the program's output; on a full disk the program goes on and its output is lost from there."""
        lost = False

        def write(data: bytes) -> None:
            nonlocal lost
            if not lost:
                try:
                    log.write(data)
                except OSError as error:
                    lost = True
                    logger.error("The log of %s is cut off: %s", self.job.arn, error)

        return write

    def _wait(self, process: Process, plan: Plan, log: LogWriter) -> Ending:
        uploads = [output for output in plan.outputs if output.continuous]
        uploader = self._uploader(log)
        deadline: float | None = time.monotonic() + plan.max_runtime
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            poll = POLL_SECONDS if uploads else None
            exited = process.wait(min((t for t in (remaining, poll) if t is not None), default=None))
            if exited is not None:
                break
            for output in uploads:
                uploader.changed(output)
            if deadline is not None and time.monotonic() >= deadline:
                deadline = None
                self._end("max-runtime")
        if self._parts.closing.is_set():
            raise Interrupted
        self._explain(exited, log)
        return Ending(exited, self._cause)

    def _explain(self, exited: Exit, log: LogWriter) -> None:
        """Say in the log what the exit code alone does not."""
        if exited.out_of_memory:
            limit = self._parts.memory_limit_bytes >> 20
            with suppress(OSError):
                log.line(f"killed: out of memory, the limit is {limit} MiB (EMULATOR_JOB_MEMORY_MIB). {OUT_OF_MEMORY}")
        elif exited.signal is not None and self._cause == "exit":
            with suppress(OSError):
                log.line(f"killed by signal {exited.signal}")

    def _conclude(self, plan: Plan, ending: Ending, log: LogWriter) -> Verdict:
        logs, group = self._parts.logs, self._kind.log_group
        work = Work(
            job=self.job,
            plan=plan,
            tree=Tree(self._ml),
            uploader=self._uploader(log),
            scratch=self._directory / "archive",
            log_backward=lambda: logs.events_backward(logs.stream(self.job.scope, group, self._stream), complete=True),
            note=log.line,
        )
        return self._kind.conclude(work, ending)

    def _uploader(self, log: LogWriter) -> Uploader:
        return Uploader(self._parts.objects, Tree(self._ml), log.line)

    @property
    def _ml(self) -> Path:
        return self._directory / "ml"

    # Ending the program

    def _end(self, cause: Cause) -> None:
        with self._lock:
            if self._cause != "exit":
                return
            self._cause = cause
            process = self._process
        if process is not None:
            self._terminate(process)

    def _terminate(self, process: Process) -> None:
        process.terminate()
        with self._lock:
            self._killer = threading.Timer(self._parts.settings.stop_grace_seconds, process.kill)
            self._killer.daemon = True
            self._killer.start()

    def _disarm(self) -> None:
        with self._lock:
            self._process = None
            if self._killer is not None:
                self._killer.cancel()

    def _check(self) -> None:
        if self._parts.closing.is_set():
            raise Interrupted
        if self._cause == "stop" or self.job.status == "Stopping":
            raise Stopped

    # What survives a kill

    @property
    def _ending_file(self) -> Path:
        return self._directory / "ending.json"

    def _note(self, ending: Ending) -> None:
        exited = ending.exited
        content = {"cause": ending.cause, "exit": [exited.code, exited.signal, exited.out_of_memory]}
        scratch = self._directory / "ending.new"
        scratch.write_text(json.dumps(content))
        scratch.rename(self._ending_file)

    def _noted_ending(self) -> Ending | None:
        try:
            content: dict[str, Any] = json.loads(self._ending_file.read_text())
        except FileNotFoundError:
            return None
        code, signal, out_of_memory = content["exit"]
        return Ending(Exit(code=code, signal=signal, out_of_memory=out_of_memory), content["cause"])

    def _advance(self, phase: Phase) -> None:
        now = time.time()
        updated = self._parts.resources.update(self.job.arn, lambda job: self._kind.advance(job, phase, now))
        if updated is not None:
            self.job = updated

    def _write(self, verdict: Verdict) -> None:
        """Store the verdict, again and again while the disk is full: the job must not be stuck for ever."""

        def change(job: Resource) -> None:
            stopped = Verdict("Stopped", None, verdict.members)
            self._kind.finish(job, stopped if job.status == "Stopping" else verdict, time.time())

        while True:
            try:
                self._parts.resources.update(self.job.arn, change)
                return
            except sqlite3.OperationalError as error:
                logger.error("The verdict of %s cannot be stored yet: %s", self.job.arn, error)
                if self._parts.closing.wait(RETRY_SECONDS):
                    return

    def _clean(self) -> None:
        try:
            remove_tree(self._directory)
        except OSError as error:
            logger.warning("Files of %s are left in %s: %s", self.job.arn, self._directory, error)
