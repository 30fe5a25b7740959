"""The network that the hosts of one job share: a namespace with nothing in it but a bridge, and the way out.

No process lives in it. It is there as long as somebody holds one of its sockets: the emulator, or a host.

The way out needs no power over the machine's own network. What no host is meant by goes to a tun device, which the
emulator reads. When a first packet asks for some port of the outside, that port is claimed: from then on connections to
it, whoever they are for, end at a socket of this network that the emulator has, and goes on from with its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from typing import NoReturn

from . import kernel, netlink, wire

BRIDGE, INTERFACE, TUN = "switch", "eth0", "outside"
NETWORK, PREFIX_BITS, GATEWAY = "198.18.0.0", 16, "198.18.255.254"
"""Of RFC 2544, for tests of devices: no machine that a job may have to reach has an address in it."""
NAME_SERVER = "198.19.0.53"
"""Stands for the machine's own, which may be at its loopback."""
CLAIMABLE_PORTS = 60

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x1, 0x1000
_IP_TRANSPARENT = 19


def run(status: socket.socket) -> NoReturn:
    """Make the network; a route socket of it for each host, and then the way out, go to the emulator."""
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
        if received[0]["outside"]:
            _open_way_out(status, route, bridge)
    except OSError as error:
        wire.send(status, {"error": str(error)})
    os._exit(0)


def _open_way_out(status: socket.socket, route: socket.socket, bridge: int) -> None:
    try:
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", TUN.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError as error:
        wire.send(status, {"closed": f"/dev/net/tun: {error.strerror}"})
        return
    netlink.add_address(route, bridge, GATEWAY, PREFIX_BITS)
    kernel.loopback_up()
    netlink.bring_up(route, TUN)
    for name in (BRIDGE, TUN):
        netlink.configure(route, name, netlink.FORWARDING, 1)
        netlink.configure(route, name, netlink.RP_FILTER, 0)
    netlink.add_default_route(route, socket.if_nametoindex(TUN))
    netlink.add_table_of_claims(route, socket.if_nametoindex("lo"))
    listeners = [_transparent_socket() for _ in range(CLAIMABLE_PORTS)]
    wire.send(status, {}, [tun, route.fileno(), *(listener.fileno() for listener in listeners)])


def _transparent_socket() -> socket.socket:
    """A socket that may stand for any address; only this process may make it one."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_IP, _IP_TRANSPARENT, 1)
    return made


def plug(switch: socket.socket, bridge: int, address: str, *, outside: bool) -> None:
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
        if outside:
            netlink.add_default_route(route, index, GATEWAY)
