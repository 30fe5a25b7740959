"""What a launcher is: it runs one command of a job in a sandbox that looks like a container.

Promises that every launcher keeps (tests/emulator/launchers/test_contract.py holds them to it):

- ``/opt/ml`` is the job's own ``directory/ml``; each mount is seen writable at its target and its source never changes;
- output is delivered while the job runs, in order, and completely before ``wait`` returns;
- when ``wait`` returns, every process of the job is gone; when the emulator dies, so does every job;
- ``launch`` and every method of a process may be called from any thread.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emulator.images.environment import Environment


class LaunchError(RuntimeError):
    """Our fault or the machine's, not the job's: the sandbox could not be made. The message says which step failed."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A host folder shown at a container path; what the job writes there never reaches ``source``."""

    target: str
    source: Path


class Lan(ABC):
    """A network that the hosts of one job share with nobody else. Thread-safe."""

    addresses: Mapping[str, str]
    """Of the hosts, by their names."""
    shortcoming: str | None = None
    """Why the hosts do not reach the outside though they should; they reach each other and their outlets."""

    def outlet(self, address: tuple[str, int]) -> tuple[str, int] | None:
        """Where every host finds what the emulator finds at ``address``; None where the outlets of a launch do it.

        Raises:
            LaunchError: this machine refuses it.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go of it, once its hosts have ended."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One command to run."""

    job_id: str
    directory: Path
    """Private to the job. ``directory/ml`` is its ``/opt/ml`` and holds, at the end, all but unchanged inputs."""
    environment: Environment
    command: list[str]
    env: dict[str, str]
    hostname: str
    hosts: list[str]
    """Names that resolve to the sandbox itself, such as ``algo-1``."""
    mounts: list[Mount]
    network: bool
    """Whether the program reaches what the machine reaches; if not, nothing but itself, its ``lan`` and the outlets."""
    memory_limit_bytes: int
    """Of all processes together; 0 is no limit."""
    output: Callable[[bytes], None]
    """Called with pieces of standard output and error as they come, from one thread at a time."""
    outlets: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    """Ports of the sandbox's own loopback that lead to addresses outside, where it has a network of its own."""
    lan: Lan | None = None
    """Of the launcher's own making: the program is its host ``hostname``, with an address and ports of its own."""
    cpus: tuple[int, ...] = ()
    """The machine's processors that it may use, by their numbers, and that it sees as all; none stands for all."""

    @property
    def shares_network(self) -> bool:
        """Whether the program lives in the machine's own network, and not in one that was made for it."""
        return self.network and self.lan is None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of a command use: processor time since its beginning, and memory that they hold."""

    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Exit:
    code: int
    """The exit code; 128 + signal where a signal ended it, as a shell reports it."""
    signal: int | None
    out_of_memory: bool
    usage: Usage | None = field(default=None, compare=False)
    """In all, with the most memory that one process had; None where the launcher cannot tell."""


class Process(ABC):
    """A launched command."""

    pid: int
    """On the host; for people, not for ``kill``: use the methods."""

    @abstractmethod
    def wait(self, timeout: float | None = None) -> Exit | None:
        """How it ended; None if it has not after ``timeout`` seconds."""

    def connect(self, port: int, timeout: float) -> socket.socket:
        """Connect to a TCP port that a program of the job listens at, in whichever network it lives.

        Raises:
            OSError: nothing listens there (yet), or the job has ended.
        """
        return socket.create_connection(("127.0.0.1", port), timeout)

    def usage(self) -> Usage | None:
        """What its processes use now; None where the launcher cannot tell, and once it has ended."""
        return None

    @abstractmethod
    def terminate(self) -> None:
        """SIGTERM to the main process, which may then end in its own way."""

    @abstractmethod
    def kill(self) -> None:
        """End every process of the job now."""


class Launcher(ABC):
    name: str
    """``warm``, ``process`` or ``redirect``."""
    joins_hosts: bool = False
    """Whether it makes networks for several hosts."""
    isolation: str
    """``namespaces`` or ``none``."""
    description: str
    """One sentence for ``emulator status``: what jobs run in, and why nothing better."""

    @abstractmethod
    def launch(self, launch: Launch) -> Process:
        """Start a command and return at once.

        Raises:
            LaunchError: the sandbox could not be made.
        """

    @abstractmethod
    def lan(self, environment: Environment, hosts: Sequence[str], *, outside: bool) -> Lan:
        """A network for the hosts of one job, all of ``environment``; ``outside``: they are launched with ``network``.

        Raises:
            LaunchError: this launcher, or this machine, cannot make one.
        """

    @abstractmethod
    def warm_up(self, environment: Environment) -> None:
        """Prepare for jobs of ``environment`` that are about to come. Returns at once."""

    @abstractmethod
    def close(self) -> None:
        """Kill everything that was launched and let go of what was prepared."""
