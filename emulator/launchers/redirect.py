"""Jobs without a sandbox, where the machine refuses namespaces: one at a time, ``/opt/ml`` led to the job's folder.

As root, ``/opt/ml`` is a symbolic link while the job runs. Otherwise its inputs are copied, and ``/opt/ml`` is
replaced by the folder's path in the command, the environment, the configuration and small text files. A job sees the
whole machine; nothing but its good manners keeps it from it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

from emulator.images.environment import Environment
from emulator.launchers.followed import FollowedProcess
from emulator.launchers.host import host_files
from emulator.launchers.launcher import Lan, Launch, Launcher, LaunchError, Process, Usage
from emulator.launchers.redirection import Redirection
from emulator.launchers.sandbox import wire
from emulator.launchers.usage import of_descendants
from emulator.launchers.warden import base_environment
from emulator.launchers.watching import copy_inputs, start_watcher


class RedirectLauncher(Launcher):
    name = "redirect"
    isolation = "none"

    def __init__(self, reason: str, link: Path | None = Path("/opt/ml")) -> None:
        """``reason``: why nothing better; ``link``: a path that may become a symbolic link, None where none may."""
        self._link = link if link is not None and _can_link(link) else None
        way = "a symbolic link" if self._link else "replacing the path in commands and files"
        self.description = f"redirect: isolation: none ({reason}); one job at a time, /opt/ml by {way}"
        self._one_at_a_time = threading.Lock()
        self._running: set[Process] = set()

    def launch(self, launch: Launch) -> Process:
        self._one_at_a_time.acquire()
        lock = _lock_link() if self._link else None
        try:
            process = _RedirectProcess(launch, self._link, lock, self._ended)
        except BaseException as error:
            self._ended(None, lock)
            if isinstance(error, OSError):
                raise LaunchError(f"cannot start job {launch.job_id}: {error}") from error
            raise
        self._running.add(process)
        if process.wait(0) is not None:
            self._running.discard(process)
        return process

    def lan(self, environment: Environment, hosts: Sequence[str], *, outside: bool) -> Lan:
        raise LaunchError(f"jobs on {len(hosts)} hosts need namespaces, and there are none: {self.description}")

    def warm_up(self, environment: Environment) -> None:
        """There is nothing to prepare: every program is started anew."""

    def close(self) -> None:
        for process in list(self._running):
            process.kill()
            process.wait()

    def _ended(self, process: Process | None, lock: IO[str] | None) -> None:
        if process is not None:
            self._running.discard(process)
        if lock is not None:
            lock.close()
        self._one_at_a_time.release()


_Ended: TypeAlias = Callable[[Process | None, IO[str] | None], None]


class _RedirectProcess(FollowedProcess):
    def __init__(self, launch: Launch, link: Path | None, lock: IO[str] | None, ended: _Ended) -> None:
        self._link = link
        self._lock_of_link = lock
        self._when_ended = ended
        # Not below the job's folder: a socket's path has room for about a hundred characters.
        self._tmp = tempfile.mkdtemp(prefix="job-")
        payload = _prepare(launch, link, self._tmp)
        if link is not None:
            _point(link, launch.directory / "ml")
        self._watcher, status, read = start_watcher("watcher", payload)
        self.pid = self._watcher.pid
        super().__init__(launch, status, read)

    def usage(self) -> Usage | None:
        return None if self._ended.is_set() else of_descendants(self.pid)

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            wire.send(self._status, {"signal": int(signal.SIGKILL)})

    def _await_end(self) -> None:
        self._watcher.wait()
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        for folder in (self._tmp, self._launch.directory / "home"):
            shutil.rmtree(folder, ignore_errors=True)

    def _release(self) -> None:
        self._when_ended(self, self._lock_of_link)


def _prepare(launch: Launch, link: Path | None, tmp: str) -> dict[str, Any]:
    """Copy the inputs, lead the paths to the job's folder; what the watcher needs to know."""
    directory = launch.directory.absolute()
    for name in ("ml", "home"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    paths = {target: source for source, target in launch.environment.files} | copy_inputs(launch)
    if link is None:
        paths["/opt/ml"] = directory / "ml"
    redirection = Redirection(paths)
    if paths:
        redirection.files(directory / "ml")
    env = {name: redirection.text(value) for name, value in _environment(launch, directory, tmp).items()}
    workdir = Path(redirection.text(launch.environment.workdir or "/"))
    return {
        "command": [redirection.text(word) for word in launch.command],
        "env": env,
        "workdir": str(workdir if workdir.is_dir() else directory),
        "memory_limit_bytes": launch.memory_limit_bytes,
        "cpus": list(launch.cpus),
    }


def _environment(launch: Launch, directory: Path, tmp: str) -> dict[str, str]:
    own = {"HOME": str(directory / "home"), "TMPDIR": tmp, "HOSTNAME": launch.hostname}
    base = base_environment(launch.environment) | host_files().env
    return base | launch.environment.env | launch.env | own


def _can_link(link: Path) -> bool:
    return os.access(link.parent, os.W_OK | os.X_OK) and (link.is_symlink() or not link.exists())


def _lock_link() -> IO[str]:
    """One job of the machine at a time has ``/opt/ml``, whichever emulator runs it."""
    file = (Path(tempfile.gettempdir()) / f"sagemaker-emulator-{os.geteuid()}.lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _point(link: Path, folder: Path) -> None:
    temporary = link.with_name(f"{link.name}.{os.getpid()}")
    temporary.symlink_to(folder.absolute())
    temporary.replace(link)
