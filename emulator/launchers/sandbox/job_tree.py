"""What is one job's own in its root: ``/opt/ml``, ``/tmp``, ``/proc``, its inputs and the names of its hosts."""

from __future__ import annotations

import os
from typing import Any

from . import kernel
from .files import copy_readable, make_place, write
from .overlays import Overlays
from .root import Root
from .switch import NAME_SERVER
from .template import NAME_FILES, Template

_HIDDEN = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
_NAMES_BYTES = 1 << 20


class JobTree:
    """Mounted over a root in the job's own mount namespace, and then entered."""

    def __init__(self, template: Template, root: Root, job: dict[str, Any]) -> None:
        self._covered = root.covered
        self._template = template
        self._job = job
        self._directory: str = job["directory"]
        self._root = root.place
        self._own = f"{template.folder}/own"
        self._overlays = Overlays(f"{self._directory}/overlay", f"{template.folder}/uppers")

    def enter(self) -> None:
        """Make it this process's; after this nothing of the host's tree can be reached."""
        for name in ("ml", "tmp"):
            os.makedirs(f"{self._directory}/{name}", exist_ok=True)
        self._mount_own()
        self._show_processors()
        for path in self._covered:
            make_place(path, self._root + path)
            self._template.show(path, self._root, self._overlays)
        for path, target in self._job["read_only_files"]:
            make_place(path, self._root + target)
            kernel.bind(path, self._root + target, read_only=True)
        self._mount_inputs()
        kernel.pivot_root(self._root)

    def _mount_own(self) -> None:
        root, job = self._root, self._job
        # read-only: a root on the host stays the owner of /proc/sys, whatever its namespaces
        kernel.mount("proc", f"{root}/proc", "proc", _HIDDEN | kernel.MS_RDONLY)
        size = f"size={job['memory_limit_bytes']}" if job["memory_limit_bytes"] else ""
        kernel.mount("shm", f"{root}/dev/shm", "tmpfs", _HIDDEN, ",".join(filter(None, ["mode=1777", size])))
        kernel.mount("pts", f"{root}/dev/pts", "devpts", _HIDDEN & ~kernel.MS_NODEV, "newinstance,ptmxmode=0666")
        kernel.bind(f"{self._directory}/tmp", f"{root}/tmp")
        kernel.bind(f"{self._directory}/ml", f"{root}/opt/ml")
        kernel.mount("own", self._own, "tmpfs", _HIDDEN, f"mode=0755,size={_NAMES_BYTES}")
        self._write_names()
        for name in NAME_FILES:
            kernel.bind(f"{self._own}/{name}", f"{root}/etc/{name}")

    def _write_names(self) -> None:
        own, job = self._own, self._job
        hosts = {job["hostname"]: "127.0.0.1", **job["hosts"]}
        names = "".join(f"{address} {name}\n" for name, address in hosts.items())
        write(f"{own}/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{names}")
        write(f"{own}/hostname", job["hostname"] + "\n")
        write(f"{own}/resolv.conf", f"nameserver {NAME_SERVER}\n" if job["outside"] else "")
        if job["shares_network"]:
            copy_readable("/etc/resolv.conf", f"{own}/resolv.conf")

    def _show_processors(self) -> None:
        """Of a job that is confined to some processors, only as many are seen by those who count them (``nproc``)."""
        seen = f"{self._root}/sys/devices/system/cpu/online"
        if self._job["cpus"] and os.path.exists(seen):
            write(f"{self._own}/processors", f"0-{len(self._job['cpus']) - 1}\n")
            kernel.bind(f"{self._own}/processors", seen, read_only=True)

    def _mount_inputs(self) -> None:
        """Inputs are seen writable; what is written to one under ``/opt/ml`` lies in the job's own tree.

        So an output folder inside an input's folder is found there by whoever collects the outputs.
        """
        done: list[str] = []
        for target, source in sorted(self._job["mounts"]):
            place = self._inside(target)
            os.makedirs(place, exist_ok=True)
            nested = any(target.startswith(other.rstrip("/") + "/") for other in done)
            own = target.startswith("/opt/ml/") and not nested
            upper = f"{self._directory}/ml{target[len('/opt/ml') :]}" if own else None
            self._overlays.mount(place, [source], upper)
            done.append(target)

    def _inside(self, target: str) -> str:
        place = self._root + os.path.normpath(target)
        if os.path.commonpath([os.path.realpath(place), os.path.realpath(self._root)]) != os.path.realpath(self._root):
            raise OSError(f"the mount target {target} leads out of the job's root by a symbolic link")
        return place
