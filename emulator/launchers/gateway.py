"""The way out of the network of a job with several hosts: what they send to the outside goes on from here.

The other end of ``sandbox/switch.py``, where it says how it works. TCP and UDP over IPv4 get through, and nothing else:
no ping, no IPv6. Connections are made by the emulator, so a host reaches what the emulator reaches.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.launchers.relay import join
from emulator.launchers.sandbox import netlink
from emulator.launchers.sandbox.switch import NAME_SERVER, NETWORK, PREFIX_BITS

_PACKET_BYTES = 1 << 16
_TCP, _UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
_SYN, _ACK = 0x02, 0x10
_ADDRESSES, _UDP_HEADER = struct.Struct("!4s4s"), struct.Struct("!HHHH")
_MAX_FLOWS, _FLOW_SECONDS = 256, 60.0
"""Of datagrams: how many ends at a time may wait for answers, and how long."""
_Address = tuple[str, int]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Packet:
    """An IPv4 packet of a host to the outside."""

    protocol: int
    source: str
    target: str
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Packet | None:
        """None for what is no whole IPv4 packet, or a fragment of one."""
        if len(data) < 20 or data[0] >> 4 != 4 or int.from_bytes(data[6:8], "big") & 0x3FFF:
            return None
        source, target = _ADDRESSES.unpack_from(data, 12)
        return cls(data[9], socket.inet_ntoa(source), socket.inet_ntoa(target), data[(data[0] & 15) * 4 :])

    @property
    def ports(self) -> tuple[int, int]:
        """Of the source and of the target."""
        return int.from_bytes(self.payload[:2], "big"), int.from_bytes(self.payload[2:4], "big")

    @property
    def opens_connection(self) -> bool:
        return self.protocol == _TCP and len(self.payload) >= 20 and self.payload[13] & (_SYN | _ACK) == _SYN


def datagram(source: _Address, target: _Address, content: bytes) -> bytes:
    """A packet that carries a UDP datagram; its checksum is left out, as IPv4 allows."""
    body = _UDP_HEADER.pack(source[1], target[1], _UDP_HEADER.size + len(content), 0) + content
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, _UDP, 0)
    head += _ADDRESSES.pack(socket.inet_aton(source[0]), socket.inet_aton(target[0]))
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + body


def _checksum(head: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(head) // 2}H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Gateway:
    """One thread of its own, from the start until ``close``."""

    def __init__(self, fds: list[int]) -> None:
        """``fds``: the tun device, a route socket of its network, and sockets there that may stand for anybody."""
        self._tun, route, *listeners = fds
        os.set_blocking(self._tun, False)
        self._route = socket.socket(fileno=route)
        self._spare = [socket.socket(fileno=fd) for fd in listeners]
        self._loop = asyncio.new_event_loop()
        self._claims: dict[int, asyncio.Task[asyncio.Server]] = {}
        self._flows: dict[tuple[_Address, _Address], asyncio.DatagramTransport] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let nothing through any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.add_reader(self._tun, self._read)
        try:
            self._loop.run_forever()
        finally:
            self._loop.remove_reader(self._tun)
            self._loop.run_until_complete(self._end_all())
            self._loop.close()
            os.close(self._tun)
            for made in (self._route, *self._spare):
                made.close()

    async def _end_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for claim in self._claims.values():
            (await claim).close()
        for flow in self._flows.values():
            flow.abort()
        await asyncio.sleep(0)  # for the loop to close what is aborted

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._tun, _PACKET_BYTES)
            packet = Packet.parse(data)
            if packet is None:
                return
            if packet.opens_connection:
                self._start(self._serve(packet.ports[1], data))
            elif packet.protocol == _UDP and len(packet.payload) >= _UDP_HEADER.size:
                self._start(self._send(packet))

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, port: int, first: bytes) -> None:
        """Take connections to a port of the outside from now on, the one that ``first`` asks for among them."""
        if port not in self._claims:
            if not self._spare:
                logger.warning("A job asks for more ports of the outside than it can have; %d is one too many", port)
                return
            self._claims[port] = self._loop.create_task(self._claim(port, self._spare.pop()))
        await self._claims[port]
        with contextlib.suppress(BlockingIOError):  # it is asked again
            os.write(self._tun, first)

    async def _claim(self, port: int, listener: socket.socket) -> asyncio.Server:
        listener.bind(("", port))
        server = await asyncio.start_server(self._accept, sock=listener)
        netlink.claim(self._route, NETWORK, PREFIX_BITS, port)
        return server

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await join(reader, writer, _outside(*writer.get_extra_info("sockname")))
        except OSError as error:
            logger.debug("The outside refuses a job: %s", error)
            _reset(writer)
        finally:
            writer.close()

    async def _send(self, packet: Packet) -> None:
        source, target = (packet.source, packet.ports[0]), (packet.target, packet.ports[1])
        flow = self._flows.get((source, target))
        if flow is None:
            answers = _Answers(self._tun, target, source)
            with contextlib.suppress(OSError):
                flow, _ = await self._loop.create_datagram_endpoint(lambda: answers, remote_addr=_outside(*target))
                self._keep((source, target), flow)
        if flow is not None:
            flow.sendto(packet.payload[_UDP_HEADER.size :])

    def _keep(self, ends: tuple[_Address, _Address], flow: asyncio.DatagramTransport) -> None:
        """A flow has its time, or goes when there are too many; what comes after makes a new one."""
        if (earlier := self._flows.pop(ends, None)) is not None:
            earlier.abort()
        self._flows[ends] = flow
        self._loop.call_later(_FLOW_SECONDS, self._end, ends, flow)
        while len(self._flows) > _MAX_FLOWS:
            oldest = next(iter(self._flows))
            self._end(oldest, self._flows[oldest])

    def _end(self, ends: tuple[_Address, _Address], flow: asyncio.DatagramTransport) -> None:
        if self._flows.get(ends) is flow:
            del self._flows[ends]
            flow.abort()


class _Answers(asyncio.DatagramProtocol):
    """What comes back from the outside, to where it was asked from."""

    def __init__(self, tun: int, source: _Address, target: _Address) -> None:
        self._tun = tun
        self._source = source
        self._target = target

    def datagram_received(self, data: bytes, addr: object) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._tun, datagram(self._source, self._target, data))


def _outside(address: str, port: int) -> _Address:
    """Where something is as the emulator sees it."""
    return (_name_server() if address == NAME_SERVER else address), port


def _name_server() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/etc/resolv.conf").read_text().splitlines():
            words = line.split()
            if words[:1] == ["nameserver"] and len(words) > 1:
                return words[1]
    return "127.0.0.1"


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection the hard way: to its maker it looks refused or broken, not finished."""
    made = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
