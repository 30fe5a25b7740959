"""The supervisor of all jobs: slots, threads, stopping, and what happens after a crash."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from functools import partial

from emulator.images import ImageError, Images
from emulator.jobs.host_run import Parts
from emulator.jobs.instances import machine_memory
from emulator.jobs.kind import JobKind
from emulator.jobs.pool import Pool, Ticket
from emulator.jobs.processing import Processing
from emulator.jobs.publisher import Publisher
from emulator.jobs.requirements import RequirementLayers
from emulator.jobs.run import JobRun, run_folder
from emulator.jobs.training import Training
from emulator.jobs.transform.transform import Transform
from emulator.jobs.tree import remove_tree
from emulator.jobs.tuning.tuner import Invoke, Tuner
from emulator.jobs.tuning.turn import KIND as TUNING
from emulator.launchers.launcher import Launcher, LaunchError
from emulator.settings import Settings
from emulator.store.log_streams import LogStreams
from emulator.store.metrics import Metrics
from emulator.store.objects import ObjectStore
from emulator.store.resources import Resource, Resources

KINDS: tuple[JobKind, ...] = (Processing(), Training(), Transform())
CLOSE_SECONDS = 5.0
"""How long closing waits for jobs to notice that they were killed; one that builds an image does not."""

logger = logging.getLogger(__name__)


class Jobs:
    """Runs every job of the emulator, a limited number at a time, each in a thread of a pool."""

    def __init__(
        self,
        settings: Settings,
        resources: Resources,
        objects: ObjectStore,
        logs: LogStreams,
        images: Images,
        launcher: Launcher,
    ) -> None:
        self.slots = _slots(settings, launcher)
        self._kinds = {kind.resource_kind: kind for kind in KINDS}
        root, memory_limit = settings.data_dir.absolute() / "jobs", _memory_limit(settings)
        self.layers = RequirementLayers(launcher, root, settings.cache_dir, memory_limit)
        self.metrics = Metrics(resources.database)
        self._publisher = Publisher(self.metrics, settings.metrics_interval_seconds)
        self._parts = Parts(
            settings=settings,
            resources=resources,
            objects=objects,
            logs=logs,
            images=images,
            launcher=launcher,
            layers=self.layers,
            root=root,
            publisher=self._publisher,
            memory_limit_bytes=memory_limit,
            closing=threading.Event(),
        )
        self._pool = Pool(self.slots, "job")
        self._warmers = Pool(1, "warm-up")
        self._interrupted = self._unfinished()
        self._lock = threading.Lock()
        self._active: dict[str, tuple[JobRun, Ticket]] = {}
        self._tuner: Tuner | None = None

    @property
    def max_hosts(self) -> int:
        """How many instances a job may ask for."""
        return self._parts.settings.max_hosts_per_job if self._parts.launcher.joins_hosts else 1

    @property
    def max_servers(self) -> int:
        """How many hosts a job may ask for that only serve, and have no need of each other."""
        alone = self._parts.launcher.isolation == "none"  # it runs one program at a time
        return 1 if alone else self._parts.settings.max_hosts_per_job

    @property
    def max_hosts_reason(self) -> str:
        """What sets that limit, for the user who meets it."""
        if self._parts.launcher.joins_hosts:
            return "The setting is EMULATOR_MAX_HOSTS_PER_JOB"
        wanted = "EMULATOR_ISOLATION=namespaces, or docker or podman of root"
        return f"Several instances need {wanted}. This is {self._parts.launcher.description}"

    def bind(self, invoke: Invoke) -> None:
        """Tuning jobs run training jobs by calling operations; set last, as operations stand on all parts."""
        self._tuner = Tuner(self._parts.resources, self._parts.logs, invoke)

    def submit(self, resource: Resource) -> None:
        """Run a job whose row exists with status InProgress, as soon as a slot is free. Returns at once."""
        if resource.kind == TUNING:
            assert self._tuner is not None, "tuning jobs need bind"
            self._tuner.take_up()
            return
        self._start(JobRun(resource, self._kinds[resource.kind], self._parts))

    def _start(self, run: JobRun) -> None:
        with self._lock:
            self._active[run.job.arn] = (run, self._pool.submit(partial(self._execute, run)))

    def _execute(self, run: JobRun) -> None:
        try:
            run.execute()
        finally:
            with self._lock:
                self._active.pop(run.job.arn, None)

    def stop(self, arn: str) -> None:
        """Stop a job whose row is Stopping. Returns at once; one that waits for a slot is Stopped at once."""
        with self._lock:
            found = self._active.get(arn)
        if found is not None:
            run, ticket = found
            run.stop()
            if ticket.cancel():
                self._execute(run)

    def interrupt(self, arn: str, seconds: float) -> None:
        """Take the instances of a job away for some seconds. Returns at once; nothing happens to one that has ended."""
        with self._lock:
            found = self._active.get(arn)
        if found is not None:
            found[0].interrupt(seconds)

    def recover(self) -> None:
        """After a start: run interrupted jobs again, finish stopping the others, delete what nobody needs.

        Jobs that were created since this object was made are none of these.
        """
        root = self._parts.root
        folders = list(root.iterdir()) if root.is_dir() else []
        needed = {run_folder(root, resource) for resource in self._unfinished()}
        for folder in folders:
            if folder not in needed:
                remove_tree(folder)
        while self._interrupted:
            self._recover(self._interrupted.pop(0))
        if self._tuner is not None:
            self._tuner.start()

    def _unfinished(self) -> list[Resource]:
        found = [job for kind in self._kinds for job in self._parts.resources.with_status(kind, *_UNFINISHED)]
        return sorted(found, key=lambda job: job.created)

    def _recover(self, resource: Resource) -> None:
        kind = self._kinds[resource.kind]
        current = self._parts.resources.update(resource.arn, lambda job: _reset(kind, job))
        if current is not None and current.status in _UNFINISHED:
            self._start(JobRun(current, kind, self._parts))

    def close(self) -> None:
        """Kill every job; those not finished run again at the next start."""
        if self._tuner is not None:
            self._tuner.close()
        self._parts.closing.set()
        with self._lock:
            active = list(self._active.values())
        for run, _ in active:
            run.kill()
        self._warmers.close(0)
        self._pool.close(CLOSE_SECONDS)
        self._publisher.close()

    def warm_up(self, image_uris: Iterable[str]) -> None:
        """A hint that jobs of these images will come. Returns at once, never raises."""
        for uri in dict.fromkeys(image_uris):
            if not self._parts.closing.is_set():
                self._warmers.submit(partial(self._warm, uri))

    def _warm(self, uri: str) -> None:
        images, launcher = self._parts.images, self._parts.launcher
        try:
            launcher.warm_up(images.environment(images.resolve(uri), logger.info))
        except (ImageError, LaunchError) as error:
            logger.info("No warm process for %s: %s", uri, error)


_UNFINISHED = ("InProgress", "Stopping")


def _reset(kind: JobKind, job: Resource) -> None:
    if job.status == "InProgress":
        kind.reset(job)


def _slots(settings: Settings, launcher: Launcher) -> int:
    if launcher.isolation == "none":
        return 1
    return settings.max_parallel_jobs or max(4, 2 * (os.cpu_count() or 1))


def _memory_limit(settings: Settings) -> int:
    if settings.job_memory_mib:
        return settings.job_memory_mib << 20
    return int(machine_memory() * 0.9)
