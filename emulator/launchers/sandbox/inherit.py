"""What a process has from its parent beside arguments and files, taken from the shim that it stands for."""

from __future__ import annotations

import contextlib
import os
import resource
import signal

_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def take_after(pid: int) -> None:
    """Umask, ignored signals, niceness, processors and limits of process ``pid``, which a new child would have."""
    with open(f"/proc/{pid}/status", "rb") as status:
        fields = dict(line.split(b":", 1) for line in status)
    os.umask(int(fields[b"Umask"], 8))
    for number in _signals(int(fields[b"SigIgn"], 16)):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, pid))
    if (processors := os.sched_getaffinity(pid)) != os.sched_getaffinity(0):
        os.sched_setaffinity(0, processors)
    for limit in _LIMITS:
        with contextlib.suppress(ValueError, PermissionError):
            if (wanted := resource.prlimit(pid, limit)) != resource.getrlimit(limit):
                resource.setrlimit(limit, wanted)


def _signals(mask: int) -> list[int]:
    """The signals of a mask that a program may set: whoever make started ignores two of the C library's own as well."""
    return [number for number in sorted(signal.valid_signals()) if mask >> (number - 1) & 1]
