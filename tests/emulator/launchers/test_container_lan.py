"""The network of several hosts in containers: what it reaches, and that nothing of it is left."""

import socket
import threading
from ipaddress import IPv4Network

import pytest

from emulator.images.engine import NAMES
from emulator.launchers import container_lan
from emulator.launchers.containers import ContainerLauncher
from emulator.launchers.redirect import RedirectLauncher

from .workshop import Workshop, environment_of

HOSTS = ["algo-1", "algo-2"]
CALL = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 2) as connection:
        print(connection.recv(100).decode() or "nothing")
except OSError as error:
    print("unreachable")
"""


def test_networks_that_the_machine_has_routes_to_are_left_out(tmp_path, monkeypatch):
    """The lines are Linux's own, of 198.18.0.0/16, of 10.198.0.0/15 and of everything else."""
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    taken = "tun0 000012C6 00000000 0001 0 0 0 0000FFFF 0 0 0\neth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n"
    (tmp_path / "route").write_text(head + taken)
    monkeypatch.setattr(container_lan, "_ROUTES", tmp_path / "route")
    first = [next(container_lan._free_networks(2)) for _ in range(20)]
    assert all(network.subnet_of(IPv4Network("198.19.0.0/16")) for network in first)
    assert {network.prefixlen for network in first} == {24}
    assert next(container_lan._free_networks(300)).prefixlen == 23
    (tmp_path / "route").write_text(
        head + taken.replace("0000FFFF", "0000FEFF") + "a 0000C60A 0 1 0 0 0 0000FEFF 0 0 0\n"
    )
    assert list(container_lan._free_networks(2)) == []


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.containers) for name in NAMES])
def shop(request, engine, launchers, tmp_path):
    if engine(request.param).rootless:
        pytest.skip("an engine without root joins no hosts")
    launcher = launchers(request.param)
    return Workshop(launcher, tmp_path, environment_of(launcher))


@pytest.fixture
def lan(request, shop):
    made = shop.launcher.lan(shop.environment, HOSTS, outside=request.param)
    yield made
    made.close()


inside = pytest.mark.parametrize("lan", [False], indirect=True)
outside = pytest.mark.parametrize("lan", [True], indirect=True)


@pytest.fixture
def server():
    """Listens at every address of this machine and says ``hello``."""
    with socket.create_server(("", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"hello")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def call(shop, lan, address, **options):
    """What the first host hears from an address."""
    job = shop.start(
        ["python3", "/opt/ml/call.py", *map(str, address)],
        files={"call.py": CALL},
        hostname="algo-1",
        lan=lan,
        **options,
    )
    assert job.end().code == 0, job.text
    return job.text.strip()


@outside
def test_hosts_find_the_emulator_at_the_outlet_and_nobody_else_does(shop, lan, server):
    outlet = lan.outlet(("127.0.0.1", server))
    assert outlet == lan.outlet(("127.0.0.1", server))
    assert outlet[0] == lan.gateway
    assert call(shop, lan, outlet) == "hello"
    with socket.create_connection(outlet, 5) as connection:
        assert connection.recv(100) == b""
    lan.close()
    with socket.socket() as probe:
        assert probe.connect_ex(outlet) != 0


@inside
def test_isolated_hosts_do_not_reach_this_machine(shop, lan, server):
    assert call(shop, lan, (lan.gateway, server), network=False) == "unreachable"
    first = socket.gethostbyname(socket.gethostname())
    assert call(shop, lan, (first, server), network=False) == "unreachable"


@outside
def test_a_job_is_not_reached_from_the_network_of_another(shop, lan):
    other = shop.launcher.lan(shop.environment, HOSTS, outside=True)
    text = "import socket; s = socket.create_server(('', 8080)); print('up', flush=True); s.accept()[0].sendall(b'it')"
    server = shop.start_script(text, hostname="algo-2", lan=lan)
    server.wait_for(b"up")
    assert call(shop, other, (lan.addresses["algo-2"], 8080)) == "unreachable"
    assert call(shop, lan, ("algo-2", 8080)) == "it"
    assert server.end().code == 0
    other.close()


@outside
def test_no_network_is_left(shop, lan, engine):
    found = engine(shop.launcher.name).call("network", "ls", "--format", "{{.Name}}")
    assert lan.name in found.split()
    lan.close()
    assert lan.name not in engine(shop.launcher.name).call("network", "ls", "--format", "{{.Name}}").split()


def test_what_a_crash_left_is_removed_at_the_next_start(shop, engine, tmp_path):
    engine = engine(shop.launcher.name)
    crashed = ContainerLauncher(engine, str(tmp_path), RedirectLauncher("not asked for", None))
    lan = crashed.lan(shop.environment, HOSTS, outside=True)
    job = Workshop(crashed, tmp_path, shop.environment).start(["/bin/sh", "-c", "echo ready; sleep 60"], lan=lan)
    job.wait_for(b"ready")
    ContainerLauncher(engine, str(tmp_path), RedirectLauncher("not asked for", None))
    assert lan.name not in engine.call("network", "ls", "--format", "{{.Name}}").split()
    assert job.end().code != 0
