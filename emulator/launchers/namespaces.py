"""Jobs in Linux namespaces: the *process* launcher, and with libraries imported ahead, the *warm* launcher."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from emulator.images.environment import Environment
from emulator.launchers.followed import FollowedProcess
from emulator.launchers.host import HostFiles, host_files
from emulator.launchers.lan import NamespaceLan
from emulator.launchers.launcher import Lan, Launch, Launcher, LaunchError, Process, Usage
from emulator.launchers.relay import Relay
from emulator.launchers.roots import Roots, UsedRoot, remove_unused
from emulator.launchers.trash import Trash
from emulator.launchers.usage import of_namespace
from emulator.launchers.warden import Warden, base_environment

_MAX_WARDENS = 6
T = TypeVar("T")


class NamespaceLauncher(Launcher):
    """Each job in user, mount, pid, ipc and uts namespaces of its own, and without ``network`` a network one."""

    isolation = "namespaces"
    joins_hosts = True

    def __init__(self, folder: Path, *, warm: bool) -> None:
        """``folder``: made if absent; wardens mount their templates in it, unseen by others."""
        self.name = "warm" if warm else "process"
        self.description = (
            "warm: each job in namespaces of its own; Python starts with the image's libraries imported"
            if warm
            else "process: each job in namespaces of its own, every program started anew"
        )
        self._folder = folder.absolute() / "template"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._trash = Trash(folder / "trash")
        self._roots = folder.absolute() / "roots"
        remove_unused(self._roots, self._trash)
        self._warm = warm
        self._wardens: dict[str, Warden] = {}
        self._lock = threading.Lock()
        self._closed = False

    def launch(self, launch: Launch) -> Process:
        return self._by_warden(launch.environment, lambda warden: _start(warden, self._trash, launch))

    def lan(self, environment: Environment, hosts: Sequence[str], *, outside: bool) -> Lan:
        return self._by_warden(environment, lambda warden: NamespaceLan(hosts, warden, outside=outside))

    def _by_warden(self, environment: Environment, ask: Callable[[Warden], T]) -> T:
        """What a warden of ``environment`` answers; one that was killed meanwhile gets a successor, once."""
        for attempt in range(2):
            warden = self._warden(environment)
            try:
                warden.wait_until_ready()
                return ask(warden)
            except ConnectionError as error:
                self._forget(environment, warden)
                if attempt:
                    raise LaunchError(f"cannot start a job of image {environment.name}: {error}, twice") from error
            except LaunchError:
                self._forget_if_dead(environment, warden)
                raise
        raise AssertionError("unreachable")

    def warm_up(self, environment: Environment) -> None:
        self._warden(environment)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            wardens, self._wardens = list(self._wardens.values()), {}
        for warden in wardens:
            warden.close()
        self._trash.close()

    def _warden(self, environment: Environment) -> Warden:
        with self._lock:
            if self._closed:
                raise LaunchError("the launcher is closed: the emulator is stopping")
            warden = self._wardens.pop(environment.name, None)
            if warden is not None and not warden.alive:
                warden.close()
                warden = None
            if warden is None:
                self._make_room()
                warden = Warden(environment, self._folder, Roots(self._roots, self._trash), warm=self._warm)
            self._wardens[environment.name] = warden  # last: the most recently used
            return warden

    def _make_room(self) -> None:
        """Let the least recently used wardens go; each holds the memory of its image's libraries."""
        idle = [name for name, warden in self._wardens.items() if warden.jobs == 0]
        for name in idle[: max(0, len(self._wardens) - _MAX_WARDENS + 1)]:
            self._wardens.pop(name).close()

    def _forget(self, environment: Environment, warden: Warden) -> None:
        with self._lock:
            if self._wardens.get(environment.name) is warden:
                del self._wardens[environment.name]
        warden.close()

    def _forget_if_dead(self, environment: Environment, warden: Warden) -> None:
        if not warden.alive:
            self._forget(environment, warden)


def _start(warden: Warden, trash: Trash, launch: Launch) -> Process:
    lan = launch.lan
    assert lan is None or isinstance(lan, NamespaceLan), "a lan is of the launcher's own making"
    hosts = dict.fromkeys(launch.hosts, "127.0.0.1") if lan is None else dict(lan.addresses)
    bridge, switch = (0, []) if lan is None else lan.port_of(launch.hostname)
    files = host_files() if launch.network else None
    outlets = {} if launch.shares_network else _outlets(launch, files)
    env = base_environment(launch.environment) | {"HOSTNAME": launch.hostname} | (files.env if files else {})
    payload: dict[str, Any] = {
        "job_id": launch.job_id,
        "directory": str(launch.directory.absolute()),
        "command": launch.command,
        "env": env | launch.environment.env | launch.env,
        "workdir": launch.environment.workdir or "/",
        "hostname": re.sub(r"[^A-Za-z0-9.-]", "-", launch.hostname)[:64],
        "hosts": hosts,
        "bridge": bridge,
        "mounts": [[mount.target, str(mount.source.absolute())] for mount in launch.mounts],
        "shares_network": launch.shares_network,
        "outside": launch.network,
        "outlets": list(outlets),
        "memory_limit_bytes": launch.memory_limit_bytes,
        "cpus": list(launch.cpus),
        "read_only_files": files.files if files else [],
    }
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        status, root, (pidfd, *outlet_fds) = warden.launch(payload, write, switch)
    except BaseException:
        os.close(read)
        raise
    made = zip(outlets.values(), outlet_fds, strict=True)
    relays = [Relay(socket.socket(fileno=fd), address) for address, fd in made]
    return _NamespaceProcess(warden, trash, launch, status, root, pidfd, read, relays)


def _outlets(launch: Launch, files: HostFiles | None) -> dict[int, tuple[str, int]]:
    """Those that were asked for, and to what of the machine's own the user's settings lead."""
    own = {port: ("127.0.0.1", port) for port in files.loopback_ports} if files else {}
    return own | dict(launch.outlets)


class _NamespaceProcess(FollowedProcess):
    def __init__(
        self,
        warden: Warden,
        trash: Trash,
        launch: Launch,
        status: socket.socket,
        root: UsedRoot,
        pidfd: int,
        output: int,
        relays: list[Relay],
    ) -> None:
        self._warden = warden
        self._trash = trash
        self._root = root
        self._pidfd = pidfd
        self._relays = relays
        self.pid = _pid_of(pidfd)
        warden.jobs += 1
        super().__init__(launch, status, output)

    def connect(self, port: int, timeout: float) -> socket.socket:
        return super().connect(port, timeout) if self._launch.shares_network else self._connect_inside(port, timeout)

    def usage(self) -> Usage | None:
        with self._lock:
            if self._ended.is_set():
                return None
            found = of_namespace(self.pid)
            try:
                signal.pidfd_send_signal(self._pidfd, 0)
            except ProcessLookupError:
                return None  # what was read may be another's, who has the number now
            return found

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _await_end(self) -> None:
        select.select([self._pidfd], [], [])  # readable when init, and so all below it, is gone
        self._warden.jobs -= 1
        self._warden.give_back(self._root)
        for name in ("overlay", "tmp"):
            self._trash.take(self._launch.directory / name)
        for mount in self._launch.mounts:
            if mount.target.startswith("/opt/ml/"):
                below = os.path.normpath(mount.target).removeprefix("/opt/ml/")
                _remove_whiteouts(self._launch.directory / "ml" / below)

    def _release(self) -> None:
        os.close(self._pidfd)
        for relay in self._relays:
            relay.close()


def _pid_of(pidfd: int) -> int:
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    return -1


def _remove_whiteouts(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            state = path.lstat()
            if stat.S_ISCHR(state.st_mode) and state.st_rdev == 0:
                path.unlink()
