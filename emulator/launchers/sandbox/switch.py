"""The network that the hosts of one job share: a namespace with nothing in it but a bridge.

No process lives in it. It is there as long as somebody holds one of its sockets: the emulator, or a host.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import NoReturn

from . import kernel, netlink, wire

BRIDGE, INTERFACE, PREFIX_BITS = "switch", "eth0", 16


def run(status: socket.socket) -> NoReturn:
    """Make the network; a route socket of it for each host goes to the emulator."""
    received = wire.receive(status)
    if received is None:
        os._exit(0)
    try:
        kernel.unshare(kernel.CLONE_NEWNET)
        route = netlink.open_socket()
        netlink.add_bridge(route, BRIDGE)
        netlink.bring_up(route, BRIDGE)
        bridge = socket.if_nametoindex(BRIDGE)
        for _ in range(received[0]["hosts"]):
            wire.send(status, {"bridge": bridge}, [netlink.open_socket().detach()])
    except OSError as error:
        wire.send(status, {"error": str(error)})
    os._exit(0)


def plug(switch: socket.socket, bridge: int, address: str) -> None:
    """Give this process's network an interface ``eth0`` at the bridge of that number, in the network of ``switch``."""
    number = "".join(f"{int(part):02x}" for part in address.split("."))
    network = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with switch, netlink.open_socket() as route:
        netlink.add_cable(switch, f"host{number}", bridge, INTERFACE, network)
        os.close(network)
        with contextlib.suppress(OSError):  # a kernel without IPv6 does not know it
            netlink.without_ipv6_address(route, INTERFACE)
        netlink.bring_up(route, INTERFACE)
        index = socket.if_nametoindex(INTERFACE)
        netlink.add_address(route, index, address, PREFIX_BITS)
