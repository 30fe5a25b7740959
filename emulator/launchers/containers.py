"""Jobs in real containers, by podman or docker.

A container shares the machine's network, so that it finds the emulator where every other program does; without
``network`` it has none at all. Inputs are copied into the job's folder, which is the container's ``/opt/ml``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
from collections.abc import Iterator, Sequence

from emulator.images.engine import Engine, EngineError, ulimits
from emulator.images.environment import Environment
from emulator.launchers.followed import FollowedProcess
from emulator.launchers.host import host_files
from emulator.launchers.launcher import Lan, Launch, Launcher, LaunchError, Process, Usage
from emulator.launchers.sandbox import wire
from emulator.launchers.usage import of_namespace
from emulator.launchers.watching import copy_inputs, start_watcher

_SERVES = "SAGEMAKER_BIND_TO_PORT"
"""In the environment of a program that is asked to listen."""
_SHARED_MEMORY = "1g"
"""Of ``/dev/shm``, through which the workers of data loaders pass batches; an engine gives 64 MB by itself."""


class ContainerLauncher(Launcher):
    """``others`` runs what has no image, such as Lambda functions."""

    isolation = "containers"

    def __init__(self, engine: Engine, label: str, others: Launcher) -> None:
        """``label``: of this emulator's own containers; those that a crash of the machine left are removed."""
        self.name = engine.name
        self.description = f"{engine.name}: each job in a container of its own, in the machine's network"
        self._engine = engine
        self._label = f"sagemaker-emulator={label}"
        self._others = others
        self._remove_all()

    def launch(self, launch: Launch) -> Process:
        if not launch.environment.image:
            return self._others.launch(launch)
        if launch.outlets or launch.lan is not None:
            raise LaunchError(
                f"cannot start job {launch.job_id}: containers of {self.name} have no network of their own"
            )
        if not launch.network and _SERVES in launch.env and os.geteuid() != 0:
            raise LaunchError(
                f"cannot start job {launch.job_id}: only root reaches a server in a container without a network; models"
                " with EnableNetworkIsolation need that, or EMULATOR_ISOLATION=namespaces"
            )
        name = f"sagemaker-{launch.job_id}-{secrets.token_hex(4)}"
        try:
            self._engine.call("create", "--name", name, "--label", self._label, *_options(launch))
        except (EngineError, OSError) as error:
            raise LaunchError(f"cannot start job {launch.job_id} in a container: {error}") from error
        return _ContainerProcess(self._engine, name, launch)

    def lan(self, environment: Environment, hosts: Sequence[str], *, outside: bool) -> Lan:
        raise LaunchError(
            f"EMULATOR_ISOLATION={self.name} runs jobs of one instance; {len(hosts)} need EMULATOR_ISOLATION=namespaces"
        )

    def warm_up(self, environment: Environment) -> None:
        if not environment.image:
            self._others.warm_up(environment)

    def close(self) -> None:
        self._remove_all()
        self._others.close()

    def _remove_all(self) -> None:
        with contextlib.suppress(EngineError):  # one that is being removed already
            names = self._engine.call("ps", "--all", "--quiet", "--filter", f"label={self._label}").split()
            if names:
                self._engine.call("rm", "--force", "--volumes", *names)


class _ContainerProcess(FollowedProcess):
    def __init__(self, engine: Engine, name: str, launch: Launch) -> None:
        payload = {"engine": engine.program, "name": name, "memory_limit_bytes": launch.memory_limit_bytes}
        self._engine = engine
        self._name = name
        self._main = 0
        self._watcher, status, output = start_watcher("container", payload)
        self.pid = self._watcher.pid
        super().__init__(launch, status, output)

    def connect(self, port: int, timeout: float) -> socket.socket:
        return super().connect(port, timeout) if self._launch.network else self._connect_inside(port, timeout)

    def usage(self) -> Usage | None:
        """None while the container starts, and where its processes are those of another user."""
        if not self._main and not self._ended.is_set():
            with contextlib.suppress(EngineError):  # it has ended
                self._main = int(self._engine.call("inspect", "--format", "{{.State.Pid}}", self._name))
        return of_namespace(self._main) if self._main and not self._ended.is_set() else None

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            wire.send(self._status, {"signal": int(signal.SIGKILL)})

    def _await_end(self) -> None:
        self._watcher.wait()

    def _release(self) -> None:
        """Nothing was opened besides."""


def _options(launch: Launch) -> Iterator[str]:
    """The words after ``create``."""
    environment = launch.environment
    files = host_files() if launch.network else None
    yield from ("--init", "--pull=never", "--log-driver=none", "--security-opt=label=disable", *ulimits())
    yield from (f"--shm-size={_SHARED_MEMORY}", f"--network={'host' if launch.network else 'none'}")
    yield f"--hostname={re.sub(r'[^A-Za-z0-9.-]', '-', launch.hostname)[:64]}"
    yield from (f"--add-host={host}:127.0.0.1" for host in launch.hosts)
    if launch.memory_limit_bytes:
        yield from (f"--memory={launch.memory_limit_bytes}", f"--memory-swap={launch.memory_limit_bytes}")
    if launch.cpus:
        yield f"--cpuset-cpus={','.join(map(str, launch.cpus))}"
    yield from _mounts(launch, files.files if files else [])
    variables = (files.env if files else {}) | environment.env | launch.env
    yield from (word for name, value in variables.items() for word in ("--env", f"{name}={value}"))
    yield f"--workdir={environment.workdir or '/'}"
    first, *rest = [*environment.shell, *launch.command]
    yield from ("--entrypoint", first, environment.image, *rest)


def _mounts(launch: Launch, files: list[tuple[str, str]]) -> Iterator[str]:
    ml = launch.directory.absolute() / "ml"
    ml.mkdir(parents=True, exist_ok=True)
    writable = {"/opt/ml": ml} | copy_inputs(launch)
    yield from (word for target, place in writable.items() for word in ("--mount", _bind(str(place), target)))
    yield from (word for source, target in files for word in ("--mount", _bind(source, target) + ",readonly"))


def _bind(source: str, target: str) -> str:
    for path in (source, target):
        if "," in path:  # the engines' own syntax has no way to write it
            raise LaunchError(f"{path!r} cannot be shown in a container: its name has a comma")
    return f"type=bind,source={source},target={target}"
