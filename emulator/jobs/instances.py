"""What instance types have: processors and memory, as Amazon EC2 and SageMaker list them, and what of it a job gets."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass

from emulator.settings import Settings

_GIB = 1 << 30
_SIZE = re.compile(r"(\d*)xlarge")
_PER_PROCESSOR = {
    2.0: ("c5", "c5d", "c6i", "c7i", "c7i-flex", "c8i", "c8i-flex"),
    4.0: ("m4", "m5", "m5d", "m6i", "m6id", "m7i", "m7i-flex", "m8i", "m8i-flex", "g4dn", "g5", "g6", "inf2", "trn1"),
    8.0: ("r5", "r5d", "r6i", "r6id", "r7i", "r8i", "r8i-flex", "g6e"),
    12.0: ("p4d", "p4de"),
}
"""GiB for each processor, of families whose N·xlarge has 4·N processors."""
_RATIO = {family: ratio for ratio, families in _PER_PROCESSOR.items() for family in families}
_OTHERS = {
    "t3.medium": (2, 4), "t3.large": (2, 8), "t3.xlarge": (4, 16), "t3.2xlarge": (8, 32),
    "t2.medium": (2, 4), "t2.large": (2, 8), "t2.xlarge": (4, 16), "t2.2xlarge": (8, 32),
    "c4.large": (2, 3.75), "c4.xlarge": (4, 7.5), "c4.2xlarge": (8, 15), "c4.4xlarge": (16, 30), "c4.8xlarge": (36, 60),
    "c5n.xlarge": (4, 10.5), "c5n.2xlarge": (8, 21), "c5n.4xlarge": (16, 42), "c5n.9xlarge": (36, 96),
    "c5n.18xlarge": (72, 192),
    "p2.xlarge": (4, 61), "p2.8xlarge": (32, 488), "p2.16xlarge": (64, 732),
    "p3.2xlarge": (8, 61), "p3.8xlarge": (32, 244), "p3.16xlarge": (64, 488), "p3dn.24xlarge": (96, 768),
    "p5.4xlarge": (16, 256), "p5.48xlarge": (192, 2048), "p5e.48xlarge": (192, 2048), "p5en.48xlarge": (192, 2048),
    "trn1n.32xlarge": (128, 512), "trn2.48xlarge": (192, 2048), "p6-b200.48xlarge": (192, 2048),
}  # fmt: skip
_turns = itertools.count()


@dataclass(frozen=True, slots=True)
class Instance:
    processors: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one host of a job gets: ``cpus`` by their numbers on this machine, none for all; ``source`` says whence."""

    memory_bytes: int
    cpus: tuple[int, ...]
    source: str


def instance(instance_type: str | None) -> Instance | None:
    """What an instance type has; None where the emulator does not know it."""
    name = (instance_type or "").removeprefix("ml.")
    if name in _OTHERS:
        processors, gib = _OTHERS[name]
        return Instance(processors, int(gib * _GIB))
    family, _, size = name.partition(".")
    if family not in _RATIO or (count := _processors(size)) is None:
        return None
    return Instance(count, int(count * _RATIO[family] * _GIB))


def _processors(size: str) -> int | None:
    if size == "large":
        return 2
    match = _SIZE.fullmatch(size)
    return 4 * int(match[1] or 1) if match else None


def machine_memory() -> int:
    """Of the machine that the emulator runs on, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def limits(instance_type: str | None, settings: Settings, most_memory: int) -> Limits:
    """What a host of this type gets, of at most ``most_memory`` bytes.

    Only with ``instance_limits`` has it to do with its type. It can be less than this machine has, not more.
    """
    found = instance(instance_type) if settings.instance_limits else None
    if found is None:
        return Limits(most_memory, (), "EMULATOR_JOB_MEMORY_MIB")
    cpus = _some_of(sorted(os.sched_getaffinity(0)), found.processors)
    if found.memory_bytes >= most_memory:
        return Limits(most_memory, cpus, "EMULATOR_JOB_MEMORY_MIB")
    return Limits(found.memory_bytes, cpus, f"what {instance_type} has, by EMULATOR_INSTANCE_LIMITS")


def _some_of(processors: list[int], count: int) -> tuple[int, ...]:
    """So many, beginning with another one at each turn, so that jobs do not share the first ones."""
    if count >= len(processors):
        return ()
    first = next(_turns) * count % len(processors)
    return tuple(sorted((processors * 2)[first : first + count]))
