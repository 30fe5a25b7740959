"""The network of a job with several hosts, in containers: a bridge that the engine makes for this job alone.

Hosts have fixed addresses, which each finds in its ``/etc/hosts``: not every engine has a name server for its networks.
They reach the emulator, which listens at this machine's loopback, at the bridge's own address.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

from emulator.images.engine import Engine, EngineError
from emulator.launchers.launcher import Lan, LaunchError
from emulator.launchers.relay import Relay

POOLS = (IPv4Network("198.18.0.0/15"), IPv4Network("10.198.0.0/15"))
"""Of RFC 2544, for tests of devices; then of the private ones, for a machine that uses the first itself."""
_PREFIX_BITS = 24
_RESERVED = 3
"""Addresses of a network that are no host's: the network's, the gateway's, the one for all."""
_ATTEMPTS = 8
_APART = {"podman": ("--opt", "isolate=true")}
"""Podman passes packets on between its networks unless it is told not to."""
_WITHOUT_THE_MACHINE = {"docker": ("--opt", "com.docker.network.bridge.inhibit_ipv4=true")}
"""Docker gives this machine an address in an internal network as well, unless it is told not to."""
_ROUTES = Path("/proc/net/route")
_IP_FREEBIND = 15


class ContainerLan(Lan):
    def __init__(self, engine: Engine, label: str, hosts: Sequence[str], *, outside: bool) -> None:
        """``label``: by which the network is found and removed if the emulator is killed.

        Raises:
            LaunchError: the engine refuses it.
        """
        self.name = f"sagemaker-{secrets.token_hex(6)}"
        self.outside = outside
        self._engine = engine
        self._lock = threading.Lock()
        self._relays: dict[tuple[str, int], tuple[int, Relay]] = {}
        network = self._create(label, len(hosts))
        self.addresses = {name: str(address) for name, address in zip(hosts, network.hosts(), strict=False)}
        self.gateway = _gateway_of(network)

    def outlet(self, address: tuple[str, int]) -> tuple[str, int]:
        """Listen at the network's gateway, for this job's hosts only; once for each address."""
        with self._lock:
            if address not in self._relays:
                listener = _listen(self.gateway)
                port = int(listener.getsockname()[1])
                self._relays[address] = port, Relay(listener, address, frozenset(self.addresses.values()))
            return self.gateway, self._relays[address][0]

    def close(self) -> None:
        with self._lock:
            relays, self._relays = self._relays, {}
        for _, relay in relays.values():
            relay.close()
        with contextlib.suppress(EngineError):  # what is left of it goes with the launcher, or at the next start
            self._engine.call("network", "rm", self.name)

    def _create(self, label: str, hosts: int) -> IPv4Network:
        """Ask for one free network after the other: another program may take one meanwhile."""
        words = list(_APART.get(self._engine.name, ()))
        if not self.outside:
            words += ["--internal", *_WITHOUT_THE_MACHINE.get(self._engine.name, ())]
        refusal: EngineError | None = None
        for network in islice(_free_networks(hosts), _ATTEMPTS):
            addresses = ("--subnet", str(network), "--gateway", _gateway_of(network))
            try:
                self._engine.call("network", "create", "--label", label, *words, *addresses, self.name)
            except EngineError as error:
                refusal = error
            else:
                return network
        reason = refusal or f"this machine has routes to all of {' and '.join(map(str, POOLS))}"
        raise LaunchError(f"cannot make a network for {hosts} hosts: {reason}")


def _gateway_of(network: IPv4Network) -> str:
    """Its last address, so that ``algo-1`` has the first."""
    return str(network[-2])


def _free_networks(hosts: int) -> Iterator[IPv4Network]:
    """Networks with room for so many hosts that this machine has no route to, at random within each pool."""
    bits = min(_PREFIX_BITS, 32 - (hosts + _RESERVED - 1).bit_length())
    routes = list(_routes())
    for pool in POOLS:
        networks = list(pool.subnets(new_prefix=bits))
        random.shuffle(networks)
        yield from (network for network in networks if not any(network.overlaps(route) for route in routes))


def _routes() -> Iterator[IPv4Network]:
    """What this machine has a route to, apart from everything else."""
    for line in _ROUTES.read_text().splitlines()[1:]:
        fields = line.split()
        destination, mask = (socket.inet_ntoa(struct.pack("=I", int(field, 16))) for field in (fields[1], fields[7]))
        if mask != "0.0.0.0":
            yield IPv4Network(f"{destination}/{mask}")


def _listen(address: str) -> socket.socket:
    """At a free port of an address that this machine may not have yet: podman makes the bridge with the first host."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_IP, _IP_FREEBIND, 1)
        listener.bind((address, 0))
        listener.listen()
    except OSError as error:
        listener.close()
        raise LaunchError(f"cannot listen at {address} for the job's hosts: {error.strerror}") from error
    return listener
