"""Jobs in real containers, by podman or docker.

A container shares the machine's network, so that it finds the emulator where every other program does; without
``network`` it has none at all, and several hosts have one of their own together. Inputs are copied into the job's
folder, which is the container's ``/opt/ml``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence

from emulator.images.engine import Engine, EngineError, ulimits
from emulator.images.environment import Environment
from emulator.launchers.container_lan import ContainerLan
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
_SWEEPS, _SWEEP_SECONDS = 5, 0.3


class ContainerLauncher(Launcher):
    """``others`` runs what has no image, such as Lambda functions."""

    isolation = "containers"

    def __init__(self, engine: Engine, label: str, others: Launcher) -> None:
        """``label``: of this emulator's own containers; those that a crash of the machine left are removed."""
        self.name = engine.name
        self.joins_hosts = not engine.rootless
        self.description = f"{engine.name}: each job in a container of its own, in the machine's network"
        if engine.rootless:
            self.description += "; jobs of one instance only, as an engine without root makes no networks for several"
        self._engine = engine
        self._label = f"sagemaker-emulator={label}"
        self._others = others
        self._remove_all()

    def launch(self, launch: Launch) -> Process:
        if not launch.environment.image:
            return self._others.launch(launch)
        if launch.outlets:
            raise LaunchError(
                f"cannot start job {launch.job_id}: containers of {self.name} have no network of their own"
            )
        if not launch.network and launch.lan is None and _SERVES in launch.env and os.geteuid() != 0:
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
        if not self.joins_hosts:
            raise LaunchError(f"{len(hosts)} hosts need EMULATOR_ISOLATION=namespaces, or root: {self.description}")
        return ContainerLan(self._engine, self._label, hosts, outside=outside)

    def warm_up(self, environment: Environment) -> None:
        if not environment.image:
            self._others.warm_up(environment)

    def close(self) -> None:
        self._remove_all()
        self._others.close()

    def _remove_all(self) -> None:
        """Again after a while, where the watchers of an emulator that was killed remove the same at this moment."""
        for pause in (_SWEEP_SECONDS,) * (_SWEEPS - 1) + (0,):
            with contextlib.suppress(EngineError):
                self._sweep()
                return
            time.sleep(pause)

    def _sweep(self) -> None:
        labelled = ("--quiet", "--filter", f"label={self._label}")
        if names := self._engine.call("ps", "--all", *labelled).split():
            self._engine.call("rm", "--force", "--volumes", *names)
        if names := self._engine.call("network", "ls", *labelled).split():
            self._engine.call("network", "rm", *names)


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
        return super().connect(port, timeout) if self._launch.shares_network else self._connect_inside(port, timeout)

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
    yield f"--shm-size={_SHARED_MEMORY}"
    yield f"--hostname={re.sub(r'[^A-Za-z0-9.-]', '-', launch.hostname)[:64]}"
    yield from _network(launch)
    if launch.memory_limit_bytes:
        yield from (f"--memory={launch.memory_limit_bytes}", f"--memory-swap={launch.memory_limit_bytes}")
    if launch.cpus:
        yield f"--cpuset-cpus={','.join(map(str, launch.cpus))}"
    yield from _mounts(launch, files.files if files else [])
    variables = (files.env if files else {}) | environment.env | launch.env
    variables |= _past_proxies(launch.lan, variables)
    yield from (word for name, value in variables.items() for word in ("--env", f"{name}={value}"))
    yield f"--workdir={environment.workdir or '/'}"
    first, *rest = [*environment.shell, *launch.command]
    yield from ("--entrypoint", first, environment.image, *rest)


def _network(launch: Launch) -> Iterator[str]:
    lan = launch.lan
    assert lan is None or isinstance(lan, ContainerLan), "a lan is of the launcher's own making"
    if lan is None:
        yield f"--network={'host' if launch.network else 'none'}"
    else:
        yield from (f"--network={lan.name}", f"--ip={lan.addresses[launch.hostname]}")
    addresses = dict.fromkeys(launch.hosts, "127.0.0.1") if lan is None else lan.addresses
    yield from (f"--add-host={host}:{address}" for host, address in addresses.items())


def _past_proxies(lan: Lan | None, variables: Mapping[str, str]) -> dict[str, str]:
    """What lies in the job's own network is not asked of a proxy, which is outside."""
    if not isinstance(lan, ContainerLan) or not any(name.lower().endswith("_proxy") for name in variables):
        return {}
    near = [lan.gateway, *lan.addresses, *lan.addresses.values()]
    said = {name: variables.get(name, "").split(",") for name in ("no_proxy", "NO_PROXY")}
    return {name: ",".join(filter(None, [*words, *near])) for name, words in said.items()}


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
