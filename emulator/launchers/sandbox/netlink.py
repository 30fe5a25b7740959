"""Network devices, addresses and routes, asked of the kernel over a route socket (rtnetlink(7)).

A route socket acts in the network namespace that it was made in, whoever holds it: that is how the init of a host
plugs itself into the switch of its job. One that several processes hold mixes up their answers: each gets its own.
"""

from __future__ import annotations

import os
import socket
import struct

_NEWLINK, _NEWADDR, _NEWROUTE, _NEWRULE = 16, 20, 24, 32
_ERROR = 2
_REQUEST, _ACK, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x200, 0x400

_IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_NET_NS_FD = 3, 10, 18, 26, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFLA_INET_CONF, _IFLA_INET6_ADDR_GEN_MODE, _NO_ADDRESS = 1, 8, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF, _RTA_GATEWAY = 4, 5
_TABLE_MAIN, _TABLE_CLAIMS, _PROTOCOL_BOOT, _SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 254, 100, 3, 0, 253, 254
_FRA_SRC, _FRA_PRIORITY, _FRA_IP_PROTO, _FRA_DPORT_RANGE, _TO_TABLE, _PRIORITY_OF_CLAIMS = 2, 6, 22, 24, 1, 100
_TYPE_UNICAST, _TYPE_LOCAL = 1, 2
_UP = 0x1

FORWARDING, RP_FILTER = 1, 8
"""Settings of an interface for IPv4, as ``/proc/sys/net/ipv4/conf`` names them (linux/ip.h)."""

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBi")
_ROUTE = struct.Struct("=BBBBBBBBI")
_RULE = struct.Struct("=BBBBBBBBI")
_HEADER = struct.Struct("=IHHII")


def open_socket() -> socket.socket:
    """A route socket of this process's network namespace."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)


def add_bridge(route: socket.socket, name: str) -> None:
    kind = _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"bridge"))
    body = _link(0) + _named(name) + kind
    _ask(route, _NEWLINK, _CREATE | _EXCLUSIVE, body, f"make the bridge {name}")


def add_cable(route: socket.socket, name: str, bridge: int, other_end: str, network: int) -> None:
    """A pair of interfaces: ``name`` at the bridge, ``other_end`` in the network namespace open as ``network``."""
    peer = _link(0) + _named(other_end) + _number(_IFLA_NET_NS_FD, network)
    data = _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, peer))
    kind = _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"veth") + data)
    body = _link(0, _UP) + _named(name) + _number(_IFLA_MASTER, bridge) + kind
    _ask(route, _NEWLINK, _CREATE | _EXCLUSIVE, body, f"make the pair of interfaces {name} and {other_end}")


def bring_up(route: socket.socket, name: str) -> None:
    _ask(route, _NEWLINK, 0, _link(0, _UP) + _named(name), f"bring up {name}")


def without_ipv6_address(route: socket.socket, name: str) -> None:
    """No link-local address of IPv6 is given to the interface when it comes up; a container has none either."""
    mode = _attribute(_IFLA_INET6_ADDR_GEN_MODE, bytes([_NO_ADDRESS]))
    family = _attribute(_IFLA_AF_SPEC, _attribute(socket.AF_INET6, mode))
    _ask(route, _NEWLINK, 0, _link(0) + _named(name) + family, f"keep IPv6 from {name}")


def configure(route: socket.socket, name: str, setting: int, value: int) -> None:
    """Give a setting of IPv4 (``FORWARDING`` …) of an interface a value."""
    settings = _attribute(_IFLA_INET_CONF, _number(setting, value))
    family = _attribute(_IFLA_AF_SPEC, _attribute(socket.AF_INET, settings))
    _ask(route, _NEWLINK, 0, _link(0) + _named(name) + family, f"configure {name}")


def add_address(route: socket.socket, index: int, address: str, bits: int) -> None:
    packed = socket.inet_aton(address)
    body = _ADDRESS.pack(socket.AF_INET, bits, 0, _SCOPE_UNIVERSE, index)
    body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
    _ask(route, _NEWADDR, _CREATE | _EXCLUSIVE, body, f"add the address {address}/{bits}")


def add_default_route(route: socket.socket, index: int, gateway: str | None = None) -> None:
    """What is for no other network goes out at an interface, to ``gateway`` if there is one behind it."""
    scope = _SCOPE_LINK if gateway is None else _SCOPE_UNIVERSE
    head = _ROUTE.pack(socket.AF_INET, 0, 0, 0, _TABLE_MAIN, _PROTOCOL_BOOT, scope, _TYPE_UNICAST, 0)
    hop = _attribute(_RTA_GATEWAY, socket.inet_aton(gateway)) if gateway else b""
    _ask(route, _NEWROUTE, _CREATE, head + _number(_RTA_OIF, index) + hop, "add the default route")


def add_table_of_claims(route: socket.socket, loopback: int) -> None:
    """A table by which whatever is sent, and to whomever, is for this machine itself."""
    head = _ROUTE.pack(socket.AF_INET, 0, 0, 0, _TABLE_CLAIMS, _PROTOCOL_BOOT, _SCOPE_HOST, _TYPE_LOCAL, 0)
    _ask(route, _NEWROUTE, _CREATE, head + _number(_RTA_OIF, loopback), "add the table of claims")


def claim(route: socket.socket, network: str, bits: int, port: int) -> None:
    """What comes by TCP from ``network`` and is for ``port`` of anybody goes to this machine."""
    head = _RULE.pack(socket.AF_INET, 0, bits, 0, _TABLE_CLAIMS, 0, 0, _TO_TABLE, 0)
    ports = struct.pack("=HH", port, port)
    body = head + _attribute(_FRA_SRC, socket.inet_aton(network)) + _attribute(_FRA_DPORT_RANGE, ports)
    body += _attribute(_FRA_IP_PROTO, bytes([socket.IPPROTO_TCP])) + _number(_FRA_PRIORITY, _PRIORITY_OF_CLAIMS)
    _ask(route, _NEWRULE, _CREATE, body, f"claim port {port}")


def _link(index: int, flags: int = 0) -> bytes:
    return _LINK.pack(socket.AF_UNSPEC, 0, index, flags, flags)


def _named(name: str) -> bytes:
    return _attribute(_IFLA_IFNAME, name.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _ask(route: socket.socket, kind: int, flags: int, body: bytes, what: str) -> None:
    """Send one request and wait for its acknowledgement.

    Raises:
        OSError: the kernel refuses; the message says what.
    """
    route.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, 0, 0) + body)
    answer = route.recv(1 << 16)
    assert _HEADER.unpack_from(answer)[1] == _ERROR, "an acknowledgement is an error, of number 0 where there is none"
    code = -struct.unpack_from("=i", answer, _HEADER.size)[0]
    if code:
        raise OSError(code, f"cannot {what}: {os.strerror(code)}")
