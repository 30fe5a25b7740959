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
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emulator.images import Environment, ImageError, Images
from emulator.jobs.failures import MAX_REASON, JobFailure, image_unusable, internal
from emulator.jobs.kind import Ending, JobKind, Phase, Running, Verdict, Work, platform_environment
from emulator.jobs.network import BIND_TO_PORT, access_of_program, access_to_server
from emulator.jobs.pipes import feeding
from emulator.jobs.plan import Plan, below_root
from emulator.jobs.program import Output, Program, explain
from emulator.jobs.staging import Stage
from emulator.jobs.tree import Tree, remove_tree
from emulator.jobs.uploads import Uploader
from emulator.launchers.launcher import Exit, Launch, Launcher, Mount, Process
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.log_streams import LogStreams
from emulator.store.objects import ObjectStore
from emulator.store.resources import Resource, Resources

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
        self._program = Program(parts.settings.stop_grace_seconds)
        self._output: Output | None = None

    # From other threads

    def stop(self) -> None:
        """End the program as AWS does: SIGTERM, SIGKILL after a grace. Returns at once."""
        self._program.stop()

    def kill(self) -> None:
        """Kill the program; the job stays as it is."""
        self._program.kill()

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
        self._complete_log()

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
        error = self._output.error if self._output else None
        if error is None or verdict.status != "Failed":
            return verdict
        return replace(verdict, reason=f"{verdict.reason} ({error.strerror} on the emulator's disk)"[:MAX_REASON])

    def _attempt(self) -> Verdict:
        ending = self._noted_ending()
        if ending is None:
            self._check()
        plan = self._kind.plan(self.job, self._parts.settings)
        log = self._log_writer()
        try:
            if ending is None:
                ending = self._run(plan, log)
            self._advance(Phase.UPLOADING)
            return self._conclude(plan, ending, log)
        except JobFailure as failure:
            with suppress(OSError):
                log.line(failure.full)
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
        launch = self._launch(plan, environment, mounts, log)
        meanwhile = self._uploading_meanwhile(plan, log)
        drive = None if plan.port is None else self._driving(int(launch.env.get(BIND_TO_PORT, plan.port)))
        with feeding(plan, self._stage, self._program.fail):
            ending = self._program.run(self._parts.launcher, launch, plan.max_runtime, meanwhile, drive)
        if self._parts.closing.is_set():
            raise Interrupted
        explain(ending, self._parts.memory_limit_bytes, log)
        self._note(ending)
        return ending

    def _environment(self, uri: str, log: LogWriter) -> Environment:
        images = self._parts.images
        try:
            return images.environment(images.resolve(uri), log.line)
        except ImageError as error:
            raise image_unusable(str(error)) from error

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
                place = ml / below_root(item.path)
                (place if item.stream is None else place.parent).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobFailure(f"ClientError: {error.strerror}: {error.filename}") from error
        return self._stage.lay_out(plan)

    def _launch(self, plan: Plan, environment: Environment, mounts: list[Mount], log: LogWriter) -> Launch:
        self._output = Output(log, self.job.arn)
        access = access_to_server if plan.port is not None else access_of_program
        reach = access(plan, self._parts.launcher, self._parts.endpoint_url())
        platform = platform_environment(self.job, self._parts.settings, reach.endpoint_url)
        return Launch(
            job_id=self._directory.name,
            directory=self._directory,
            environment=environment,
            command=plan.command.resolve(environment.entrypoint, environment.cmd),
            env={**environment.env, **platform, **plan.env, **reach.env},
            hostname=plan.host.name,
            hosts=list(plan.host.names),
            mounts=mounts,
            network=reach.network,
            outlets=reach.outlets,
            memory_limit_bytes=self._parts.memory_limit_bytes,
            output=self._output.write,
        )

    def _driving(self, port: int) -> Callable[[Process], None]:
        scratch = self._directory / "driver"
        scratch.mkdir(exist_ok=True)
        parts, scope, group = self._parts, self.job.scope, self._kind.log_group

        def drive(process: Process) -> None:
            running = Running(
                job=self.job,
                process=process,
                port=port,
                objects=parts.objects,
                scratch=scratch,
                stopped=lambda: self._program.stopped or parts.closing.is_set(),
                open_log=lambda name: parts.logs.writer(scope, group, f"{self._stream}/{name}"),
            )
            self._kind.drive(running)

        return drive

    def _uploading_meanwhile(self, plan: Plan, log: LogWriter) -> Callable[[], None] | None:
        outputs = [output for output in plan.outputs if output.continuous]
        uploader = self._uploader(log)

        def upload() -> None:
            for output in outputs:
                uploader.changed(output)

        return upload if outputs else None

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
    def _stage(self) -> Stage:
        return Stage(self._parts.objects, self.job.scope.region, self._ml, self._directory / "inputs")

    @property
    def _ml(self) -> Path:
        return self._directory / "ml"

    def _check(self) -> None:
        if self._parts.closing.is_set():
            raise Interrupted
        if self._program.stopped or self.job.status == "Stopping":
            raise Stopped

    # What survives a kill

    @property
    def _ending_file(self) -> Path:
        return self._directory / "ending.json"

    def _note(self, ending: Ending) -> None:
        exited = ending.exited
        how = [exited.code, exited.signal, exited.out_of_memory]
        content = {"cause": ending.cause, "exit": how, "failure": ending.failure}
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
        return Ending(exited, content["cause"], content.get("failure"))

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

    def _complete_log(self) -> None:
        if self._output is None or self._output.error is None:
            return
        with suppress(OSError), closing(self._log_writer()) as log:
            self._output.complete(log)

    def _log_writer(self) -> LogWriter:
        return self._parts.logs.writer(self.job.scope, self._kind.log_group, self._stream)

    def _clean(self) -> None:
        try:
            remove_tree(self._directory)
        except OSError as error:
            logger.warning("Files of %s are left in %s: %s", self.job.arn, self._directory, error)
