"""Hosts of one job: each a joining with a name, an address and ports of its own."""

import pytest

from emulator.launchers import LaunchError

from .workshop import environment_of_tests, make_launcher

HOSTS = ["algo-1", "algo-2", "algo-3"]


@pytest.fixture
def lan(joining):
    made = joining.launcher.lan(joining.environment, HOSTS, outside=False)
    yield made
    made.close()


def together(shop, lan, text, **options):
    """Run a script on every host at once; what each wrote."""
    jobs = [shop.start_script(text, hostname=host, lan=lan, network=False, **options) for host in HOSTS]
    assert [job.end().code for job in jobs] == [0, 0, 0], [job.text for job in jobs]
    return [job.text for job in jobs]


def test_every_host_knows_the_others_by_name_and_has_an_interface(joining, lan):
    text = (
        "import socket\n"
        "print(socket.gethostname(), *[socket.gethostbyname(f'algo-{n}') for n in (1, 2, 3)])\n"
        "print(sorted(name for _, name in socket.if_nameindex() if name in ('lo', 'eth0')))\n"
    )
    names = " ".join(lan.addresses[host] for host in HOSTS)
    assert together(joining, lan, text) == [f"{host} {names}\n['eth0', 'lo']\n" for host in HOSTS]


RING = """
import socket, time
me = int(socket.gethostname()[-1])
listener = socket.create_server(('', 8080))
while True:
    try:
        onward = socket.create_connection((f'algo-{me % 3 + 1}', 8080))
        break
    except ConnectionRefusedError:
        time.sleep(0.02)
onward.sendall(b'x' * 10_000 + str(me).encode())
onward.shutdown(socket.SHUT_WR)
incoming, address = listener.accept()
data = incoming.makefile('rb').read()
print(len(data), data[-1:].decode(), address[0])
"""


def test_all_hosts_listen_at_the_same_port_and_talk(joining, lan):
    assert together(joining, lan, RING) == [
        f"10001 3 {lan.addresses['algo-3']}\n",
        f"10001 1 {lan.addresses['algo-1']}\n",
        f"10001 2 {lan.addresses['algo-2']}\n",
    ]


def test_a_host_is_reached_by_the_hosts_of_its_own_job_alone(joining, lan):
    other = joining.launcher.lan(joining.environment, HOSTS, outside=False)
    served = "import socket; s = socket.create_server(('', 8080)); print('up', flush=True); s.accept()"
    server = joining.start_script(served, hostname="algo-1", lan=lan, network=False)
    server.wait_for(b"up")
    call = "import socket; socket.create_connection(('algo-1', 8080), 0.5)"
    stranger = joining.start_script(call, hostname="algo-2", lan=other, network=False)
    assert stranger.end().code == 1
    assert "TimeoutError" in stranger.text or "No route to host" in stranger.text
    assert joining.start_script(call, hostname="algo-2", lan=lan, network=False).end().code == 0
    assert server.end().code == 0
    other.close()


def test_without_namespaces_several_hosts_are_refused(tmp_path):
    launcher = make_launcher("redirect", tmp_path)
    with pytest.raises(LaunchError, match=r"jobs on 3 hosts need namespaces.*isolation: none"):
        launcher.lan(environment_of_tests(), HOSTS, outside=True)
