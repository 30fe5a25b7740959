"""The file system that a job sees: a template made once per environment, and the root of each job made from it.

The root is an overlay over a skeleton of folders and copied files, so that a job may write anywhere and all of it
vanishes with the job's folder. Into it go, read-only, the host's programs and libraries and the base interpreter;
as an overlay, the image's environment; and the job's own ``/opt/ml``, ``/tmp``, ``/proc`` and ``/dev``. Whatever is
not named here does not exist for the job: no home folder, no host's ``/var``, ``/run`` or ``/mnt``.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from . import kernel
from .switch import NAME_SERVER

_TOP = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store", "gnu/store")
_EMPTY = ("dev", "proc", "sys", "run", "home", "mnt", "srv", "opt/ml", "var/log", "var/cache", "var/lib")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_SYSTEM = ("devices/system/cpu", "devices/system/node")
_ETC = (
    "alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version",
    "fonts", "gai.conf", "host.conf", "inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias",
    "localtime", "magic", "mime.types", "nsswitch.conf", "openssl", "os-release", "pip.conf", "pki", "profile",
    "protocols", "rpc", "services", "ssl", "terminfo", "timezone", "xdg/pip",
)  # fmt: skip
_PRIVATE_KEYS = ("private",)


class Template:
    """What all jobs of one environment share, on a tmpfs at ``folder`` in the warden's own mount namespace."""

    def __init__(self, folder: str, config: dict[str, Any]) -> None:
        self.folder = folder
        self.environment: str = config["environment"]
        self.config = config
        self._skeleton = f"{folder}/skeleton"
        self._layers = f"{folder}/layers"
        self._shown: list[str] = []

    def build(self) -> None:
        kernel.mount("template", self.folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755")
        for name in ("skeleton", "layers", "root", "upper", "dev", "sys"):
            os.mkdir(f"{self.folder}/{name}")
        self._make_folders()
        self._make_etc()
        self._make_devices()
        self._make_system()
        for path in [*self.config["read_only"], self.environment]:
            if path and not self._is_shown(path):
                self._shown.append(path)
        for source, target in self.config["files"]:
            self._copy(source, target)
        for target, text in self.config["programs"].items():
            self._write_program(target, text)
        for path in self._shown:
            os.makedirs(self._skeleton + path, exist_ok=True)
        for path, target in self.config["read_only_files"]:
            _make_place(path, self._skeleton + target)

    def _make_folders(self) -> None:
        for name in _TOP:
            path = f"/{name}"
            if os.path.islink(path):
                os.symlink(os.readlink(path), self._skeleton + path)
            elif os.path.isdir(path):
                self._shown.append(path)
        for name in _EMPTY:
            os.makedirs(f"{self._skeleton}/{name}")
        os.mkdir(f"{self._skeleton}/root", 0o700)
        for name in ("tmp", "var/tmp"):
            os.mkdir(f"{self._skeleton}/{name}")
            os.chmod(f"{self._skeleton}/{name}", 0o1777)

    def _make_etc(self) -> None:
        etc = f"{self._skeleton}/etc"
        os.mkdir(etc)
        java = (name for name in os.listdir("/etc") if name.startswith("java"))  # Debian's keeps its settings there
        for name in (*_ETC, *java):
            _copy_readable(f"/etc/{name}", f"{etc}/{name}")
        accounts = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        _write(f"{etc}/passwd", accounts)
        _write(f"{etc}/group", "root:x:0:\nnogroup:x:65534:\n")

    def _make_devices(self) -> None:
        dev = f"{self.folder}/dev"
        kernel.mount("dev", dev, "tmpfs", kernel.MS_NOSUID, "mode=0755,size=64k")
        for name in _DEVICES:
            _write(f"{dev}/{name}", "")
            kernel.mount(f"/dev/{name}", f"{dev}/{name}", None, kernel.MS_BIND)
        for name, target in _DEVICE_LINKS.items():
            os.symlink(target, f"{dev}/{name}")
        for name in ("shm", "pts"):
            os.mkdir(f"{dev}/{name}")
        kernel.make_read_only(dev)  # it is one for all jobs

    def _make_system(self) -> None:
        """What libraries read to count processors."""
        for name in _SYSTEM:
            if os.path.isdir(f"/sys/{name}"):
                os.makedirs(f"{self.folder}/sys/{name}")
                kernel.bind(f"/sys/{name}", f"{self.folder}/sys/{name}", read_only=True)
        kernel.bind(f"{self.folder}/sys", f"{self.folder}/sys", read_only=True)

    def _copy(self, source: str, target: str) -> None:
        """A file or folder of the image, as ``COPY`` put it there."""
        place = self._place(target)
        if os.path.isdir(source):
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        else:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copy2(source, place)

    def _write_program(self, target: str, text: str) -> None:
        place = self._place(target)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        _write(place, text)
        os.chmod(place, 0o755)

    def _place(self, target: str) -> str:
        """Where a file of the image goes: the skeleton, or a layer over the shown folder it lies in."""
        first, _, rest = target.lstrip("/").partition("/")
        if os.path.islink(f"/{first}"):
            target = os.path.join(os.path.realpath(f"/{first}"), rest)
        return (self._layers if self._is_shown(target) else self._skeleton) + target

    def _is_shown(self, path: str) -> bool:
        return any(path == shown or path.startswith(shown + "/") for shown in self._shown)

    def layer(self, path: str) -> list[str]:
        """The layer over the shown folder ``path``, if a file of the image lies in it."""
        place = self._layers + path
        return [place] if os.path.isdir(place) else []

    @property
    def skeleton(self) -> str:
        return self._skeleton

    @property
    def shown(self) -> list[str]:
        return self._shown


class Root:
    """The root of one job, built in its own mount namespace and then entered."""

    def __init__(self, template: Template, job: dict[str, Any]) -> None:
        self._template = template
        self._job = job
        self._directory: str = job["directory"]
        self._root = f"{template.folder}/root"
        self._memory_upper = False
        self._overlays = 0

    def enter(self) -> None:
        """Build the root and make it this process's; after this nothing of the host's tree can be reached."""
        os.makedirs(f"{self._directory}/ml", exist_ok=True)
        os.makedirs(f"{self._directory}/tmp", exist_ok=True)
        self._overlay(self._root, [self._template.skeleton])
        self._mount_own()
        self._show_host()
        for path, target in self._job["read_only_files"]:
            _make_place(path, self._root + target)
            kernel.bind(path, self._root + target, read_only=True)
        self._mount_inputs()
        self._write_names()
        kernel.pivot_root(self._root)

    def _show_host(self) -> None:
        template = self._template
        for path in template.shown:
            _make_place(path, self._root + path)  # it may lie below /tmp, which is the job's own
            layer = template.layer(path)
            if layer or path == template.environment:
                self._overlay(self._root + path, [*layer, path])
            else:
                kernel.bind(path, self._root + path, read_only=True)

    def _mount_own(self) -> None:
        root, job = self._root, self._job
        hidden = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.bind(f"{self._template.folder}/sys", f"{root}/sys")
        self._show_processors()
        kernel.bind(f"{self._template.folder}/dev", f"{root}/dev")
        # read-only: a root on the host stays the owner of /proc/sys, whatever its namespaces
        kernel.mount("proc", f"{root}/proc", "proc", hidden | kernel.MS_RDONLY)
        size = f"size={job['memory_limit_bytes']}" if job["memory_limit_bytes"] else ""
        kernel.mount("shm", f"{root}/dev/shm", "tmpfs", hidden, ",".join(filter(None, ["mode=1777", size])))
        kernel.mount("pts", f"{root}/dev/pts", "devpts", hidden & ~kernel.MS_NODEV, "newinstance,ptmxmode=0666")
        kernel.bind(f"{self._directory}/tmp", f"{root}/tmp")
        kernel.bind(f"{self._directory}/ml", f"{root}/opt/ml")

    def _show_processors(self) -> None:
        """Of a job that is confined to some processors, only as many are seen by those who count them (``nproc``)."""
        seen = f"{self._root}/sys/devices/system/cpu/online"
        if self._job["cpus"] and os.path.exists(seen):
            own = f"{self._directory}/processors"
            _write(own, f"0-{len(self._job['cpus']) - 1}\n")
            kernel.bind(own, seen, read_only=True)

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
            self._overlay(place, [source], f"{self._directory}/ml{target[len('/opt/ml') :]}" if own else None)
            done.append(target)

    def _inside(self, target: str) -> str:
        place = self._root + os.path.normpath(target)
        if os.path.commonpath([os.path.realpath(place), os.path.realpath(self._root)]) != os.path.realpath(self._root):
            raise OSError(f"the mount target {target} leads out of the job's root by a symbolic link")
        return place

    def _overlay(self, target: str, lower: list[str], upper: str | None = None) -> None:
        if not self._memory_upper:
            try:
                self._overlay_at(f"{self._directory}/overlay", target, lower, upper)
                return
            except OSError:
                if self._overlays:  # the first one decides: is the disk able to hold the upper layer of an overlay?
                    raise
            self._memory_upper = True
            kernel.mount("upper", f"{self._template.folder}/upper", "tmpfs", kernel.MS_NODEV, "mode=0755")
        self._overlay_at(f"{self._template.folder}/upper", target, lower, None)

    def _overlay_at(self, base: str, target: str, lower: list[str], upper: str | None) -> None:
        folder = f"{base}/{self._overlays}"
        os.makedirs(f"{folder}/work")
        if upper is None:
            upper = f"{folder}/upper"
            os.mkdir(upper)
            shutil.copystat(lower[-1], upper)  # an overlay shows the uppermost folder's mode
        kernel.overlay(target, lower, upper, f"{folder}/work")
        self._overlays += 1

    def _write_names(self) -> None:
        etc, job = f"{self._root}/etc", self._job
        hosts = {job["hostname"]: "127.0.0.1", **job["hosts"]}
        names = "".join(f"{address} {name}\n" for name, address in hosts.items())
        _write(f"{etc}/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{names}")
        _write(f"{etc}/hostname", job["hostname"] + "\n")
        if job["shares_network"]:
            _copy_readable("/etc/resolv.conf", f"{etc}/resolv.conf")
        elif job["outside"]:
            _write(f"{etc}/resolv.conf", f"nameserver {NAME_SERVER}\n")


def _make_place(source: str, target: str) -> None:
    """Something of the same kind as ``source`` to mount it on."""
    if os.path.exists(target):
        return
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write(target, "")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _copy_readable(source: str, target: str) -> None:
    """Copy what this user may read; private keys stay where they are."""
    if not os.path.exists(source):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(source) if os.access(source, os.R_OK | os.X_OK) else ():
            if name not in _PRIVATE_KEYS:
                _copy_entry(f"{source}/{name}", f"{target}/{name}")
    elif os.access(source, os.R_OK):
        shutil.copyfile(source, target)


def _copy_entry(source: str, target: str) -> None:
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
    else:
        _copy_readable(source, target)
