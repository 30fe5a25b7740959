"""The emulator's end of a warden: the process that holds one environment's template and forks its jobs."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from emulator.images import job_pip
from emulator.images.environment import Environment
from emulator.launchers.host import host_files
from emulator.launchers.launcher import LaunchError
from emulator.launchers.roots import Roots, UsedRoot
from emulator.launchers.sandbox import shim, wire

_HERE = Path(__file__).resolve().parent
_BOOT = "import sys; sys.path[0] = {folder!r}; from sandbox.warden import main; main()"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CLOSE_SECONDS = 5.0
_JOB_PIP = Path(job_pip.__file__)


def base_environment(environment: Environment) -> dict[str, str]:
    """The variables every program of a container has, before the image's own."""
    return {"PATH": f"{environment.bin}:{_SYSTEM_PATH}", "HOME": "/root", "LANG": "C.UTF-8"}


class Warden:
    """A running warden. Thread-safe."""

    def __init__(self, environment: Environment, folder: Path, roots: Roots, *, warm: bool) -> None:
        """``folder`` is an empty one that the warden mounts its template on, where only it can see it."""
        self._name = environment.name
        self._roots = roots
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._ready = False
        self.jobs = 0
        """Jobs that run; counted by the launcher."""
        config = json.dumps(_config(environment, folder, warm=warm) | {"roots": str(roots.folder)})
        env = base_environment(environment) | environment.env | {"HOME": "/nonexistent"}
        with theirs:
            self._process = subprocess.Popen(
                [environment.python, "-c", _BOOT.format(folder=str(_HERE)), str(theirs.fileno()), config],
                env=env,
                pass_fds=[theirs.fileno(), roots.lock],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )

    def wait_until_ready(self) -> None:
        """Until its namespaces and its template are there; imports may still be running.

        Raises:
            LaunchError: this machine refuses one of them; the message says which.
        """
        with self._lock:
            if not self._ready:
                message = self._control.recv(4096)
                if message != b"ready":
                    reason = message.decode(errors="replace") or "its process ended; see the emulator's log"
                    raise LaunchError(f"cannot make a sandbox for image {self._name}: {reason}")
                self._ready = True

    def launch(self, payload: dict[str, Any], output: int, fds: list[int]) -> tuple[socket.socket, UsedRoot, list[int]]:
        """Fork an init that runs ``payload`` with ``fds``; the socket to it, its root, its pidfd and its outlets.

        Takes over ``output``. The root is to be given back.

        Raises:
            LaunchError: the job's root or its process could not be made.
            ConnectionError: the warden has gone.
        """
        number = self._roots.take()
        status = self._ask(b"%s %d" % (wire.LAUNCH, number), output)
        try:
            wire.send(status, payload, fds)
            received = wire.receive(status)
        except BaseException:
            status.close()
            self.give_back(UsedRoot(number, {}))
            raise
        if received is None or "error" in received[0]:
            status.close()
            self.give_back(UsedRoot(number, {}))
            reason = received[0]["error"] if received else "its first process ended; see the emulator's log"
            raise LaunchError(f"cannot start job {payload['job_id']} in a sandbox: {reason}")
        return status, UsedRoot(number, received[0]["started"]), received[1]

    def give_back(self, root: UsedRoot) -> None:
        """The job that had ``root`` is gone: another may have it, if it is as it was."""
        if root.untouched():
            self._roots.keep(root)
            return
        with contextlib.suppress(OSError):  # the warden has gone, and its mounts with it
            wire.hand_over(self._control, b"%s %d" % (wire.FORGET, root.number), [])
        self._roots.drop(root)

    def network(self, hosts: int, *, outside: bool) -> list[tuple[dict[str, Any], list[int]]]:
        """Make a network of its own with a switch in it: what each host needs for it, then what ``outside`` takes.

        Raises:
            LaunchError: this machine refuses it.
            ConnectionError: the warden has gone.
        """
        parts: list[tuple[dict[str, Any], list[int]]] = []
        with self._ask(wire.NETWORK) as status:
            wire.send(status, {"hosts": hosts, "outside": outside})
            for _ in range(hosts + outside):
                received = wire.receive(status)
                if received is None or "error" in received[0]:
                    for fd in itertools.chain(*(fds for _, fds in parts)):
                        os.close(fd)
                    reason = received[0]["error"] if received else "its process ended; see the emulator's log"
                    raise LaunchError(f"cannot make a network for {hosts} hosts: {reason}")
                parts.append(received)
        return parts

    def _ask(self, kind: bytes, *fds: int) -> socket.socket:
        """Have the warden fork; the socket to the process. Takes over ``fds``."""
        status, theirs = socket.socketpair()
        try:
            wire.hand_over(self._control, kind, [theirs.detach(), *fds])
        except OSError as error:
            status.close()
            raise ConnectionError("the warden has gone") from error
        return status

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End it and, with it, every job it started."""
        self._control.close()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:  # it is in the middle of an import
            self._process.kill()
            self._process.wait()
        self._roots.close()


def _config(environment: Environment, folder: Path, *, warm: bool) -> dict[str, Any]:
    venv = environment.python.parent.parent
    is_venv = (venv / "pyvenv.cfg").is_file()
    base = environment.python.resolve()
    names = [str(path) for path in environment.bin.glob("python*") if path.resolve() == base]
    shimmed = names if warm and is_venv and " " not in str(base) and len(str(base)) < 100 else []
    return {
        "name": environment.name,
        "folder": str(folder),
        "workdir": environment.workdir or "/",
        "warm": warm,
        "preload": environment.preload if warm else [],
        "environment": str(venv) if is_venv else "",
        "read_only": [str(root) for root in environment.roots if root != venv],
        "files": [*_pip(venv), *([str(source), target] for source, target in environment.files)],
        "read_only_files": host_files().files,
        "python_names": [*names, str(environment.python)],
        "programs": {name: _shim(name, base) for name in shimmed},
    }


def _pip(venv: Path) -> list[list[str]]:
    """In front of the environment's pip, the one that asks the emulator for what was installed before."""
    programs = [[str(_JOB_PIP.with_suffix(".sh")), str(path)] for path in (venv / "bin").glob("pip*")]
    modules = (venv / "lib").glob("python*/site-packages/pip/__main__.py")
    return [*programs, *([str(_JOB_PIP), str(path)] for path in modules)]


def _shim(python: str, base: Path) -> str:
    """The program that stands in for the environment's interpreter at ``python``."""
    source = Path(shim.__file__).read_text()
    return f"#!{base} -ISXutf8\n{source}\n\nmain({python!r}, {str(base)!r})\n"
