"""The seam between what all jobs share and what each kind of job is: a new kind is one new subclass."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Literal

from emulator.jobs.hosts import Host
from emulator.jobs.plan import Plan
from emulator.jobs.servers import Servers
from emulator.jobs.tree import Tree
from emulator.jobs.uploads import Uploader
from emulator.launchers.launcher import Exit, Process
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.log_streams import LogEvent
from emulator.store.objects import ObjectStore
from emulator.store.resources import Resource

DEFAULT_VOLUME_GB = 30
Cause = Literal["exit", "stop", "max-runtime", "interrupt", "done", "peer"]
"""What ended a program: itself, the user, its time, who wanted its instances, its driver, another host of its job."""
Status = Literal["Completed", "Failed", "Stopped"]


class Phase(Enum):
    """Where a job is on its way; a kind shows them as it likes."""

    INTERRUPTED = "Interrupted"
    """Its instances were taken away."""
    STARTING = "Starting"
    """It waits for instances once more."""
    DOWNLOADING = "Downloading"
    RUNNING = "Training"
    UPLOADING = "Uploading"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the program ended, and what made it."""

    exited: Exit
    cause: Cause
    failure: str | None = None
    """Why the job fails whatever its program exited with: a server was of no use, an input could not be streamed."""
    host: str = "algo-1"
    """Of a job with several, the one that decided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the job ends; ``members`` are added to what Describe answers."""

    status: Status
    reason: str | None = None
    members: dict[str, Any] = field(default_factory=dict)
    exceeded: Literal["MaxRuntimeExceeded", "MaxWaitTimeExceeded"] | None = None
    """Which limit of time ended it, if one did."""


@dataclass(frozen=True, slots=True)
class Work:
    """A job whose programs have ended, and what a kind needs to collect its results."""

    job: Resource
    plan: Plan
    """Of the host that decided, as ``tree``."""
    tree: Tree
    uploader: Uploader
    """Of what all hosts left."""
    scratch: Path
    log_backward: Callable[[], Iterator[LogEvent]]
    """All hosts' lines, the last one first."""
    note: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs, and what a kind needs to make use of it."""

    job: Resource
    host: Host
    process: Process
    port: int
    objects: ObjectStore
    scratch: Path
    """A folder for files of the kind's own, on the object store's file system."""
    stopped: Callable[[], bool]
    servers: Servers
    """Of all hosts of the job."""
    open_log: Callable[[str], LogWriter]
    """A log stream of the host besides its program's, by the last part of its name."""


class JobKind(ABC):
    """One kind of job. Instances hold no state of a job: everything about one is in its ``Resource``."""

    resource_kind: ClassVar[str]
    log_group: ClassVar[str]
    phases: ClassVar[frozenset[Phase]] = frozenset(Phase)
    """Those that the kind shows; of others a job notes nothing."""

    def hosts(self, job: Resource) -> tuple[Host, ...]:
        """The hosts that the job runs on, at least one."""
        return (Host(),)

    def instance(self, job: Resource, host: Host) -> str:
        """What a host's instance is called in the names of log streams and in metrics."""
        return host.name

    def container(self, job: Resource, host: Host) -> str:
        """What a host's log stream is called beside its instance's; empty where the instance has one container."""
        return ""

    def volume_gb(self, job: Resource) -> int:
        """The size of each host's volume."""
        return DEFAULT_VOLUME_GB

    def metric_definitions(self, job: Resource) -> list[dict[str, str]]:
        """The metrics to be read from the job's log: ``Name`` and ``Regex``."""
        return []

    @abstractmethod
    def plan(self, job: Resource, settings: Settings, host: Host) -> Plan:
        """What the job wants on one host.

        Raises:
            JobFailure: the request cannot be carried out.
        """

    @abstractmethod
    def reset(self, job: Resource) -> None:
        """Take back what a run that died with the emulator noted in ``job.body``: it runs again from the start."""

    def retries(self, job: Resource) -> int:
        """How often a job that fails by the service's own fault is to be run again."""
        return 0

    def deadline(self, job: Resource) -> float | None:
        """When a job must have ended, waiting for instances included, in Unix seconds; None: at no certain time."""
        return None

    @abstractmethod
    def advance(self, job: Resource, phase: Phase, now: float) -> None:
        """Note in ``job.body`` that the job has reached one of ``phases`` at ``now`` (Unix seconds)."""

    def failed(self, ending: Ending) -> bool:
        """Whether the job fails for how the program of one of its hosts ended: then the others are ended as well."""
        return ending.failure is not None or (ending.cause == "exit" and ending.exited.code != 0)

    def drive(self, running: Running) -> None:
        """Make use of a server, in a thread for each host; the program is ended when this returns.

        Returns soon once the program has ended.

        Raises:
            JobFailure: the server is of no use.
        """
        raise AssertionError(f"the program of a {self.resource_kind} is no server")

    @abstractmethod
    def conclude(self, work: Work, ending: Ending) -> Verdict:
        """Upload what is to be uploaded and judge the job.

        Raises:
            JobFailure: the results cannot be stored; the job fails for that.
        """

    @abstractmethod
    def finish(self, job: Resource, verdict: Verdict, now: float) -> None:
        """Write the verdict into ``job``."""


def platform_environment(job: Resource, settings: Settings, endpoint_url: str) -> dict[str, str]:
    """What SageMaker sets for every container, so that boto3 inside it works as it stands.

    The access key id is the job's account, by which the gateway knows whose resources it may see.
    """
    keys = (
        (settings.access_key_id, settings.secret_access_key) if settings.access_key_id else (job.scope.account, "job")
    )
    return {
        "AWS_REGION": job.scope.region,
        "AWS_DEFAULT_REGION": job.scope.region,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
    }
