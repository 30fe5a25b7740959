"""What the roots of all jobs of one environment are made from: a skeleton of folders and files, devices, ``/sys``.

Into a root go, read-only, the host's programs and libraries and the base interpreter, and the image's environment.
Whatever is not named here does not exist for a job: no home folder, no host's ``/var``, ``/run`` or ``/mnt``.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from . import kernel
from .files import copy_readable, make_place, write
from .overlays import Overlays

_TOP = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store", "gnu/store")
_EMPTY = ("dev", "proc", "sys", "run", "home", "mnt", "srv", "opt/ml", "var/log", "var/cache", "var/lib")
NAME_FILES = ("hosts", "hostname", "resolv.conf")
"""Of ``/etc``, with places here and contents that are each job's own."""
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
        for name in ("skeleton", "layers", "roots", "uppers", "own", "dev", "sys"):
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
        if not self._is_shown(self.config["workdir"]):
            os.makedirs(self._skeleton + self.config["workdir"], exist_ok=True)
        for path, target in self.config["read_only_files"]:
            make_place(path, self._skeleton + target)

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
            copy_readable(f"/etc/{name}", f"{etc}/{name}")
        accounts = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
        write(f"{etc}/passwd", accounts)
        write(f"{etc}/group", "root:x:0:\nnogroup:x:65534:\n")
        for name in NAME_FILES:
            write(f"{etc}/{name}", "")

    def _make_devices(self) -> None:
        dev = f"{self.folder}/dev"
        kernel.mount("dev", dev, "tmpfs", kernel.MS_NOSUID, "mode=0755,size=64k")
        for name in _DEVICES:
            write(f"{dev}/{name}", "")
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
        write(place, text)
        os.chmod(place, 0o755)

    def _place(self, target: str) -> str:
        """Where a file of the image goes: the skeleton, or a layer over the shown folder it lies in."""
        first, _, rest = target.lstrip("/").partition("/")
        if os.path.islink(f"/{first}"):
            target = os.path.join(os.path.realpath(f"/{first}"), rest)
        return (self._layers if self._is_shown(target) else self._skeleton) + target

    def _is_shown(self, path: str) -> bool:
        return any(path == shown or path.startswith(shown + "/") for shown in self._shown)

    def show(self, path: str, root: str, overlays: Overlays) -> None:
        """Make a shown folder appear in ``root``: the environment so that it can be written to, others read-only."""
        layer = self._layers + path
        layers = [layer] if os.path.isdir(layer) else []  # files of the image lie in it
        if layers or path == self.environment:
            overlays.mount(root + path, [*layers, path])
        else:
            kernel.bind(path, root + path, read_only=True)

    @property
    def skeleton(self) -> str:
        return self._skeleton

    @property
    def shown(self) -> list[str]:
        return self._shown
