"""The network of a job with several hosts, in namespaces: each host has an address, an interface, ports of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from ipaddress import ip_address

from emulator.launchers.gateway import Gateway
from emulator.launchers.launcher import Lan
from emulator.launchers.sandbox.switch import NETWORK
from emulator.launchers.warden import Warden


def address_of(index: int) -> str:
    """The address of the host with that place in its job, from 0."""
    return str(ip_address(NETWORK) + index + 1)


class NamespaceLan(Lan):
    def __init__(self, hosts: Sequence[str], warden: Warden, *, outside: bool) -> None:
        """The sockets that the warden answers with keep the network alive; all hosts have to be of this warden.

        Raises:
            LaunchError: this machine refuses it.
            ConnectionError: the warden has gone.
        """
        made = warden.network(len(hosts), outside=outside)
        self._warden = warden
        warden.jobs += 1
        self.addresses = {name: address_of(index) for index, name in enumerate(hosts)}
        self._ports = {name: (int(part["bridge"]), fds) for name, (part, fds) in zip(hosts, made, strict=False)}
        self._gateways = [Gateway(fds) for _, fds in made[len(hosts) :] if fds]
        self.shortcoming = next((part["closed"] for part, _ in made[len(hosts) :] if "closed" in part), None)
        self._lock = threading.Lock()

    def port_of(self, host: str) -> tuple[int, list[int]]:
        """The number of the switch's bridge, and a route socket of the network that no other host has."""
        return self._ports[host]

    def close(self) -> None:
        with self._lock:
            ports, self._ports = self._ports, {}
            gateways, self._gateways = self._gateways, []
            self._warden.jobs -= bool(ports)
        for gateway in gateways:
            gateway.close()
        for _, fds in ports.values():
            for fd in fds:
                os.close(fd)
