"""What a host of a job uses of its machine, as SageMaker publishes it to CloudWatch.

``CPUUtilization`` is the sum over all processors, so 150 are one and a half; ``MemoryUtilization`` and
``DiskUtilization`` are shares of what the instance type and the volume that were asked for have (SageMaker Developer
Guide, "Amazon SageMaker AI job metrics"). They may be over 100 here, where AWS's job would have failed: the machine is
another one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from emulator.jobs.instances import instance, machine_memory
from emulator.launchers.launcher import Exit, Process, Usage
from emulator.store.metrics import Metric, Point

_GIB = 1 << 30
_LEAST_SECONDS = 1.0
"""Processor time of a shorter piece at a job's end says nothing: the kernel counts in ticks."""
_DISK_SHARE = 50
"""Adding up a folder's files may take a fiftieth of the time."""


class Gauge:
    """Measures one host from its launch to its end. One thread at a time may ask it."""

    def __init__(self, namespace: str, host: str, instance_type: str | None, volume_gb: int, folder: Path) -> None:
        """``host``: ``job/algo-1``, the dimension; ``folder``: what the host's disk holds."""
        found = instance(instance_type)
        self._memory = found.memory_bytes if found else machine_memory()
        self._namespace = namespace
        self._dimensions = {"Host": host}
        self._disk = volume_gb * _GIB
        self._folder = folder
        self._read: Callable[[], Usage | None] = lambda: None
        self._seen = 0.0
        self._told = 0.0
        self._at = time.monotonic()
        self._samples = 0
        self._disk_due = 0.0

    def attach(self, process: Process) -> None:
        """The host's program has been launched."""
        self._read = process.usage

    def sample(self, now: float) -> Iterator[tuple[Metric, Point]]:
        """What is used at this moment (Unix seconds); nothing where that cannot be told."""
        usage, at = self._read(), time.monotonic()
        if usage is None:
            return
        used = max(0.0, usage.cpu_seconds - self._seen)  # a process that ended may have taken its time along
        self._seen = usage.cpu_seconds
        yield self._point("CPUUtilization", self._cpu(used, at), now)
        yield self._point("MemoryUtilization", 100 * usage.memory_bytes / self._memory, now)
        if at >= self._disk_due:
            yield self._point("DiskUtilization", 100 * self._disk_bytes(at) / self._disk, now)
        self._samples += 1

    def last(self, exited: Exit, now: float) -> Iterator[tuple[Metric, Point]]:
        """What was used in all, of a job that was over before its first sample; else of the time since the last."""
        at, usage = time.monotonic(), exited.usage
        if usage is not None and (not self._samples or at - self._at >= _LEAST_SECONDS):
            yield self._point("CPUUtilization", self._cpu(max(0.0, usage.cpu_seconds - self._told), at), now)
        if not self._samples:
            if usage is not None:
                yield self._point("MemoryUtilization", 100 * usage.memory_bytes / self._memory, now)
            yield self._point("DiskUtilization", 100 * self._disk_bytes(at) / self._disk, now)

    def _cpu(self, used: float, at: float) -> float:
        """The share that seconds of processor time are of the time since it was last asked."""
        passed = max(at - self._at, 1e-3)
        self._told += used
        self._at = at
        return 100 * used / passed

    def _disk_bytes(self, at: float) -> int:
        size = disk_bytes(self._folder)
        self._disk_due = at + _DISK_SHARE * (time.monotonic() - at)
        return size

    def _point(self, name: str, value: float, now: float) -> tuple[Metric, Point]:
        return Metric(self._namespace, name, self._dimensions), Point.of(now, value, "Percent")


def disk_bytes(folder: Path) -> int:
    """What the files below a folder take on the disk; those that vanish meanwhile take nothing."""
    total, folders = 0, [os.fspath(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total
