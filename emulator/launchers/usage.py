"""What processes use, read from ``/proc``: one folder to list and two small files per process."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from emulator.launchers.launcher import Usage
from emulator.launchers.sandbox import memory

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = slice(11, 15)
"""After the name of the program: user and system time, its own and that of children that have ended."""


def of_namespace(pid: int) -> Usage | None:
    """Of all processes in the process namespace of ``pid``, which has a ``/proc`` of its own; None once it has ended.

    Reading it there takes a look at these processes only, not at all of the machine.
    """
    proc = _PROC / f"{pid}/root/proc"
    try:
        return _sum(proc, [int(path.name) for path in proc.iterdir() if path.name.isdigit()])
    except OSError:
        return None


def of_descendants(pid: int) -> Usage | None:
    """Of all processes below ``pid``; None where the system has no ``/proc``."""
    return _sum(_PROC, memory.descendants(pid)) if _PROC.is_dir() else None


def _sum(proc: Path, pids: Iterable[int]) -> Usage:
    ticks, held = 0, 0
    for pid in pids:
        ticks += _ticks(proc / f"{pid}/stat")
        held += memory.held_kibibytes(f"{proc}/{pid}/status")
    return Usage(ticks / _TICKS, held << 10)


def _ticks(stat: Path) -> int:
    try:
        fields = stat.read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile
    return sum(map(int, fields[_CPU_FIELDS]))
