"""One host of a job: its folder, its log, and its program from the launch to the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from emulator.images import Environment, Images, job_pip
from emulator.jobs.failures import JobFailure
from emulator.jobs.hosts import log_stream
from emulator.jobs.instances import limits
from emulator.jobs.kind import Ending, JobKind, Running, platform_environment
from emulator.jobs.metrics import LogMetrics
from emulator.jobs.network import BIND_TO_PORT, Access, access_to_emulator
from emulator.jobs.pipes import feeding
from emulator.jobs.plan import Plan, below_root
from emulator.jobs.program import Output, Program, explain
from emulator.jobs.publisher import Publisher, Subject
from emulator.jobs.requirements import RequirementLayers
from emulator.jobs.servers import Servers
from emulator.jobs.staging import Stage
from emulator.jobs.tree import Tree
from emulator.jobs.usage import Gauge
from emulator.launchers.launcher import Lan, Launch, Launcher, Mount, Process
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.log_streams import LogStreams
from emulator.store.objects import ObjectStore
from emulator.store.resources import Resource, Resources


@dataclass(frozen=True, slots=True)
class Parts:
    """What every job of this emulator stands on."""

    settings: Settings
    resources: Resources
    objects: ObjectStore
    logs: LogStreams
    images: Images
    launcher: Launcher
    layers: RequirementLayers
    root: Path
    publisher: Publisher
    memory_limit_bytes: int
    closing: threading.Event


class HostRun:
    """One attempt at one host's part of a job."""

    def __init__(self, job: Resource, kind: JobKind, parts: Parts, plan: Plan, directory: Path) -> None:
        """``directory``: private to the host."""
        self._job = job
        self._kind = kind
        self._parts = parts
        self._directory = directory
        self._output: Output | None = None
        self._mounts: list[Mount] = []
        self.plan = plan
        self.name = plan.host.name
        self._instance_type = plan.host.group.instance_type
        self._limits = limits(self._instance_type, parts.settings, parts.memory_limit_bytes)
        self._instance = kind.instance(job, plan.host)
        self.stream = log_stream(job, self._instance, kind.container(job, plan.host))
        self.log = self._log_writer(self.stream)
        self.tree = Tree(directory / "ml")

    @property
    def log_error(self) -> OSError | None:
        """Why the log is cut off, if it is."""
        return self._output.error if self._output else None

    def prepare(self) -> None:
        """Make the host's ``/opt/ml`` and stage its inputs.

        Raises:
            JobFailure: an input cannot be had, or a path cannot be made.
        """
        ml, plan = self.tree.root, self.plan
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
        self._mounts = self._stage.lay_out(plan)

    def run(
        self,
        program: Program,
        environment: Environment,
        lan: Lan | None,
        servers: Servers,
        stopped: Callable[[], bool],
        meanwhile: Callable[[], None] | None,
    ) -> Ending:
        """Run the host's program to its end, calling ``meanwhile`` every now and then.

        Raises:
            LaunchError: the sandbox could not be made.
            JobFailure: a pipe cannot be made, or ``meanwhile`` failed.
        """
        with self._parts.layers.admitted(environment) as key, feeding(self.plan, self._stage, program.fail):
            launch = self._launch(environment, lan, key)
            drive = self._driving(launch.env, servers, stopped)
            with self._published() as subject:
                launcher, limit = self._parts.launcher, self.plan.max_runtime
                ending = program.run(launcher, launch, limit, meanwhile, drive, subject.gauge.attach)
                subject.exited = ending.exited
        if not self._parts.closing.is_set():
            explain(ending, self._limits, self.log)
        return ending

    def _published(self) -> AbstractContextManager[Subject]:
        """What the host uses, and the metrics in its log, go to CloudWatch."""
        job, kind, logs = self._job, self._kind, self._parts.logs
        gauge = Gauge(
            kind.log_group, f"{job.name}/{self._instance}", self._instance_type, kind.volume_gb(job), self._directory
        )
        subject, definitions = Subject(job.scope, gauge), kind.metric_definitions(job)
        if definitions:
            stream = logs.stream(job.scope, kind.log_group, self.stream)
            subject.log = LogMetrics(kind.log_group, {"TrainingJobName": job.name}, definitions, logs, stream)
        return self._parts.publisher.publishing(subject)

    def complete_log(self) -> None:
        """Append what a full disk had no room for, if there is room again."""
        if self._output is not None and self._output.error is not None:
            with suppress(OSError), closing(self._log_writer(self.stream)) as log:
                self._output.complete(log)

    def _launch(self, environment: Environment, lan: Lan | None, key: str) -> Launch:
        plan, parts = self.plan, self._parts
        self._output = Output(self.log, f"{self._job.arn} on {self.name}")
        access = access_to_emulator(plan, parts.launcher, lan, parts.settings.url)
        return Launch(
            job_id=f"{self._directory.parent.name}-{self.name}",
            directory=self._directory,
            environment=environment,
            command=plan.command.resolve(environment.entrypoint, environment.cmd),
            env=self._variables(environment, access, key),
            hostname=self.name,
            hosts=list(plan.host.names),
            mounts=self._mounts,
            network=access.network,
            outlets=access.outlets,
            lan=lan,
            memory_limit_bytes=self._limits.memory_bytes,
            cpus=self._limits.cpus,
            output=self._output.write,
        )

    def _variables(self, environment: Environment, access: Access, key: str) -> dict[str, str]:
        platform = platform_environment(self._job, self._parts.settings, access.endpoint_url)
        pip = {job_pip.URL: f"{access.endpoint_url}/_emulator/requirements/{key}"} if key and self.plan.network else {}
        return {**environment.env, **platform, **pip, **self.plan.env, **access.env}

    def _driving(
        self, env: Mapping[str, str], servers: Servers, stopped: Callable[[], bool]
    ) -> Callable[[Process], None] | None:
        if self.plan.port is None:
            return None
        port = int(env.get(BIND_TO_PORT, self.plan.port))
        scratch = self._directory / "driver"
        scratch.mkdir(exist_ok=True)

        def drive(process: Process) -> None:
            running = Running(
                job=self._job,
                host=self.plan.host,
                process=process,
                port=port,
                objects=self._parts.objects,
                scratch=scratch,
                servers=servers,
                stopped=stopped,
                open_log=lambda name: self._log_writer(log_stream(self._job, self._instance, name)),
            )
            self._kind.drive(running)

        return drive

    def _log_writer(self, stream: str) -> LogWriter:
        return self._parts.logs.writer(self._job.scope, self._kind.log_group, stream)

    @property
    def _stage(self) -> Stage:
        region = self._job.scope.region
        return Stage(self._parts.objects, region, self.tree.root, self._directory / "inputs")
