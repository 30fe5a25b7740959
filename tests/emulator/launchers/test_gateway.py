"""The way out of the network of several hosts: connections and datagrams to the outside, and their answers."""

import socket
import socketserver
import struct
import threading

import pytest

from emulator.launchers import gateway
from emulator.launchers.gateway import Packet, datagram
from emulator.launchers.sandbox.switch import NAME_SERVER

from .workshop import Workshop, environment_of_tests

HOSTS = ["algo-1", "algo-2"]


class _Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data.upper())


class _DatagramEcho(socketserver.BaseRequestHandler):
    def handle(self):
        data, answering = self.request
        answering.sendto(data.upper(), self.client_address)


@pytest.fixture
def outside(monkeypatch):
    """Servers of the machine, at the address that stands for its name server; their ports."""
    monkeypatch.setattr(gateway, "_name_server", lambda: "127.0.0.1")
    servers = [socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) for _ in range(2)]
    servers.append(socketserver.ThreadingUDPServer(("127.0.0.1", 0), _DatagramEcho))
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
    yield [server.server_address[1] for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def sandbox(namespaces, launchers, tmp_path):
    """One launcher is enough: how a program starts makes no difference to its network."""
    return Workshop(launchers("process"), tmp_path, environment_of_tests())


@pytest.fixture
def lan(sandbox):
    made = sandbox.launcher.lan(sandbox.environment, HOSTS, outside=True)
    if made.shortcoming:
        pytest.skip(made.shortcoming)
    yield made
    made.close()


def on_each_host(sandbox, lan, text):
    jobs = [sandbox.start_script(text, hostname=host, lan=lan) for host in HOSTS]
    for job in jobs:
        assert job.end().code == 0, job.text
    return [job.text for job in jobs]


def test_connections_to_any_port_come_through_whole(sandbox, lan, outside):
    text = f"""
import socket
for port in {outside[:2] * 2}:
    with socket.create_connection(("{NAME_SERVER}", port), 20) as made:
        peer = made.getpeername()[0]
        made.sendall(b"abc" * 30_000)
        made.shutdown(socket.SHUT_WR)
        data = made.makefile("rb").read()
        print(len(data), data[:3].decode(), peer, end="; ")
"""
    assert on_each_host(sandbox, lan, text) == [f"90000 ABC {NAME_SERVER}; " * 4] * 2


def test_datagrams_and_their_answers(sandbox, lan, outside):
    text = f"""
import socket
made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
made.settimeout(20)
for content in (b"one", b"two" * 400):
    made.sendto(content, ("{NAME_SERVER}", {outside[2]}))
    data, address = made.recvfrom(65536)
    assert data == content.upper() and address == ("{NAME_SERVER}", {outside[2]}), (data, address)
print(open("/etc/resolv.conf").read().strip())
"""
    assert on_each_host(sandbox, lan, text) == [f"nameserver {NAME_SERVER}\n"] * 2


def test_more_askers_than_are_remembered_at_a_time_all_get_answers(sandbox, lan, outside, monkeypatch):
    monkeypatch.setattr(gateway, "_MAX_FLOWS", 3)
    text = f"""
import socket
for _ in range(20):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.settimeout(20)
        made.sendto(b"x", ("{NAME_SERVER}", {outside[2]}))
        print(made.recv(10).decode(), end="")
"""
    assert on_each_host(sandbox, lan, text) == ["X" * 20] * 2


def test_what_the_outside_refuses_is_a_broken_connection(sandbox, lan, outside):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        text = f"""
import socket
try:
    with socket.create_connection(("{NAME_SERVER}", {closed.getsockname()[1]}), 20) as made:
        assert made.recv(1) == b"never"
except ConnectionError:
    print("refused")
"""
        assert on_each_host(sandbox, lan, text) == ["refused\n"] * 2


def test_a_host_without_network_has_no_way_out(sandbox, outside):
    lan = sandbox.launcher.lan(sandbox.environment, HOSTS, outside=False)
    text = f"import socket; socket.create_connection(('{NAME_SERVER}', {outside[0]}), 20)"
    job = sandbox.start_script(text, hostname="algo-1", lan=lan, network=False)
    assert job.end().code == 1
    assert "Network is unreachable" in job.text
    lan.close()


def test_packets():
    made = datagram(("198.19.0.53", 53), ("198.18.0.1", 4000), b"answer")
    assert Packet.parse(made) == Packet(17, "198.19.0.53", "198.18.0.1", made[20:])
    assert Packet.parse(made).ports == (53, 4000)
    assert made[28:] == b"answer"
    total = sum(struct.unpack("!10H", made[:20]))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF, "the checksum of a head makes the sum of its words all ones"


@pytest.mark.parametrize("data", [b"", b"\x45" * 19, b"\x60" + b"\0" * 60, b"\x45\0\0\x14\0\0\x20\0" + b"\0" * 40])
def test_what_is_no_whole_packet_of_ipv4_is_none(data):
    assert Packet.parse(data) is None
