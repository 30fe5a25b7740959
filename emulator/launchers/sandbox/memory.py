"""How much memory the processes of a job hold, and whether the kernel has killed for want of memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

_COUNTED = (b"RssAnon:", b"RssShmem:", b"VmSwap:")


def held_bytes(pids: Iterable[int]) -> int:
    """Memory that only the end of these processes gives back: anonymous, shared and swapped, not files'."""
    return sum(held_kibibytes(f"/proc/{pid}/status") for pid in pids) * 1024


def held_kibibytes(path: str) -> int:
    """The same of the process that a file ``status`` is of; 0 once it has ended."""
    total = 0
    try:
        with open(path, "rb") as status:
            for line in status:
                if line.startswith(_COUNTED):
                    total += int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # ended meanwhile
    return total


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(pid: int) -> list[int]:
    """The processes that descend from ``pid``, zombies left out."""
    parents = {}
    for other in all_pids():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{other}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
            if state not in b"ZX":
                parents[other] = int(parent)
    found: list[int] = []
    new = {pid}
    while new := {child for child, parent in parents.items() if parent in new}:
        found += new
    return found


def kernel_kills() -> int:
    """Processes the kernel has killed on this machine because memory ran out, since it started."""
    with open("/proc/vmstat", "rb") as counters:
        for line in counters:
            if line.startswith(b"oom_kill "):
                return int(line.split()[1])
    return 0
