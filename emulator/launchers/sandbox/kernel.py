"""Linux calls that Python 3.11 does not offer: namespaces, mounts, capabilities, through ctypes."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import socket
import struct
from collections.abc import Collection

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x80000
MNT_DETACH = 2

_MOUNT_ATTR_RDONLY = 0x1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "loongarch64": 41, "ppc64le": 203, "s390x": 217}

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

_MADV_COLLAPSE = 25
_HUGE_PAGE = 2 << 20

# What Docker leaves a container's root, less raw sockets, device nodes and audit records.
_CAP_KEPT = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6, "SETUID": 7}
_CAP_KEPT |= {"SETPCAP": 8, "NET_BIND_SERVICE": 10, "SYS_CHROOT": 18}
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_network(pid: int) -> None:
    """Live in the network of another process from now on; to that, the power over its namespaces is needed."""
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(namespace, CLONE_NEWNET), "setns")
    finally:
        os.close(namespace)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, flags: int) -> None:
    _check(_libc.setns(fd, flags), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str = "") -> None:
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        os.fsencode(data) if data else None,
    )
    _check(result, f"mount {kind or 'bind'} {source} on {target}")


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show ``source`` and what is mounted below it at ``target`` as well."""
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        make_read_only(target)


def make_read_only(path: str) -> None:
    """Make the mount at ``path`` and every one below it read-only, in one call."""
    attributes = struct.pack("QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc.syscall(
        _SYS_MOUNT_SETATTR,
        _AT_FDCWD,
        ctypes.c_char_p(os.fsencode(path)),
        _AT_RECURSIVE,
        ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
    )
    _check(result, f"mount_setattr {path}")


def overlay(target: str, lower: list[str], upper: str, work: str) -> None:
    """Show ``lower`` (uppermost first) at ``target``; writes go to ``upper``.

    ``volatile``: what is written is thrown away or uploaded at once, so unmounting must not wait for the disk.
    """
    layers = ":".join(_escape(path) for path in lower)
    options = f"lowerdir={layers},upperdir={_escape(upper)},workdir={_escape(work)},userxattr,volatile"
    mount("overlay", target, "overlay", MS_NODEV, options)


def _escape(path: str) -> str:
    for character in "\\:,":
        path = path.replace(character, "\\" + character)
    return path


def unmount(path: str) -> None:
    """Take the mount at ``path`` out of sight at once; it goes when its last user does."""
    _check(_libc.umount2(os.fsencode(path), MNT_DETACH), f"umount {path}")


def pivot_root(new_root: str) -> None:
    """Make ``new_root`` (a mount) the root folder; nothing of the old root stays reachable."""
    os.chdir(new_root)
    number = _SYS_PIVOT_ROOT[platform.machine()]
    _check(_libc.syscall(number, ctypes.c_char_p(b"."), ctypes.c_char_p(b".")), f"pivot_root {new_root}")
    unmount(".")
    os.chdir("/")


def die_with_parent() -> None:
    """SIGKILL for this process when its parent ends. A change of credentials forgets it: call it after those."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl PR_SET_PDEATHSIG")


def offer_memory() -> None:
    """Where the machine runs out of memory, this process and what it starts are to end before anything else.

    Without Python's files, which are a dozen pages more to copy in a process that was just forked.
    """
    score = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(score, b"1000")
    finally:
        os.close(score)


def confine(processors: Collection[int]) -> None:
    """Let this process and what it starts run on these processors only; none stands for all."""
    if processors:
        os.sched_setaffinity(0, processors)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents have ended."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl PR_SET_CHILD_SUBREAPER")


def set_name(name: str) -> None:
    """The process's name as ``ps`` and ``top`` show it, 15 bytes."""
    _check(_libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0), "prctl PR_SET_NAME")


def limit_privileges() -> None:
    """From now on no program that is executed gains what a container's root has no need of, nor by a set-user-id file.

    This process keeps what it has; its children inherit the limit.
    """
    for capability in range(64):
        if capability not in _CAP_KEPT.values() and _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # past the last capability that this kernel knows
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS")


def drop_privileges() -> None:
    """Keep of the user namespace's power what a container's root needs; nothing that mounts, traces or configures."""
    low = sum(1 << number for number in _CAP_KEPT.values())
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; the second triple is of capabilities above 31, none of which is kept
    sets = struct.pack("IIIIII", low, low, 0, 0, 0, 0)
    _check(_libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(sets)), "capset")


def loopback_up() -> None:
    """Bring up ``lo``, the only interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(probe, 0x8914, request)  # SIOCSIFFLAGS


def flush_stdio() -> None:
    """Write out what C libraries have buffered for stdout; ``os._exit`` does not."""
    _libc.fflush(None)


def collapse_memory() -> None:
    """Gather this process's own memory into huge pages: a fork then copies one entry instead of 512.

    Takes a quarter off a fork of a process with the usual libraries. Not possible everywhere (Linux 6.1): then no harm.
    """
    for start, end in _own_memory():
        first = -(-start // _HUGE_PAGE) * _HUGE_PAGE
        length = (end - first) // _HUGE_PAGE * _HUGE_PAGE
        if length > 0:
            _libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(length), _MADV_COLLAPSE)


def _own_memory() -> list[tuple[int, int]]:
    ranges = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            if fields[1] == "rw-p" and (len(fields) == 5 or fields[5] == "[heap]"):
                start, _, end = fields[0].partition("-")
                ranges.append((int(start, 16), int(end, 16)))
    return ranges
