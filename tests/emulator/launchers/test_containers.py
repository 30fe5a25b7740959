"""What is particular to real containers; what they share with the other launchers is in test_contract."""

import os

import pytest

from emulator.images.engine import NAMES, Engine, EngineError
from emulator.launchers import LaunchError
from emulator.launchers.containers import ContainerLauncher
from emulator.launchers.redirect import RedirectLauncher

from .workshop import Workshop, environment_of, environment_of_tests

FAKE = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$1" in
  create) echo "Error: no such image" >&2; exit 125;;
  ps) echo left-over;;
  network) case "$2" in
    ls) echo left-over;;
    create) echo "Error: subnet is already used" >&2; exit 125;;
  esac;;
esac
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A launcher whose engine creates nothing; what the engine was asked."""
    (tmp_path / "podman").write_text(FAKE)
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    launcher = ContainerLauncher(Engine.find("podman"), "label", RedirectLauncher("a test", None))
    return launcher, lambda: (tmp_path / "calls").read_text().splitlines()


def test_what_a_crash_left_is_removed_at_the_start(fake):
    launcher, calls = fake
    assert calls()[1:] == [
        "ps --all --quiet --filter label=sagemaker-emulator=label",
        "rm --force --volumes left-over",
        "network ls --quiet --filter label=sagemaker-emulator=label",
        "network rm left-over",
    ]
    assert (launcher.name, launcher.isolation) == ("podman", "containers")


def test_a_container_that_cannot_be_made_says_why(fake, tmp_path):
    with pytest.raises(LaunchError, match="in a container: podman create: Error: no such image"):
        Workshop(fake[0], tmp_path, environment_of(fake[0])).shell("true")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": False, "env": {"SAGEMAKER_BIND_TO_PORT": "8080"}}, "only root reaches a server in a container"),
        ({"outlets": {80: ("127.0.0.1", 80)}}, "have no network of their own"),
    ],
)
def test_what_containers_cannot_do_is_refused(fake, tmp_path, monkeypatch, options, message):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(LaunchError, match=message):
        Workshop(fake[0], tmp_path, environment_of(fake[0])).shell("true", **options)


def test_a_network_that_the_engine_refuses_is_asked_for_elsewhere_and_then_given_up(fake):
    launcher, calls = fake
    assert launcher.joins_hosts
    with pytest.raises(LaunchError, match="for 2 hosts: podman network: Error: subnet is already used"):
        launcher.lan(environment_of(launcher), ["algo-1", "algo-2"], outside=True)
    subnets = [line.split("--subnet ")[1] for line in calls() if line.startswith("network create")]
    assert len(set(subnets)) == len(subnets) == 8


@pytest.mark.parametrize("said", ['{"security":{"rootless": true}}', '{"SecurityOptions":["name=rootless"]}'])
def test_an_engine_without_root_joins_no_hosts(tmp_path, monkeypatch, said):
    (tmp_path / "podman").write_text(f"#!/bin/sh\necho '{said}'\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    engine = Engine.find("podman")
    assert engine.rootless
    monkeypatch.setattr(ContainerLauncher, "_remove_all", lambda self: None)
    launcher = ContainerLauncher(engine, "label", RedirectLauncher("a test", None))
    assert not launcher.joins_hosts
    with pytest.raises(
        LaunchError, match=r"2 hosts need EMULATOR_ISOLATION=namespaces, or root: podman: .*one instance"
    ):
        launcher.lan(environment_of(launcher), ["algo-1", "algo-2"], outside=True)


def test_what_has_no_image_runs_by_the_other_launcher(fake, tmp_path):
    assert Workshop(fake[0], tmp_path, environment_of_tests()).shell("echo here").text == "here\n"


@pytest.mark.containers
@pytest.mark.parametrize("name", NAMES)
def test_no_container_is_left(name, engine, launchers, tmp_path):
    try:
        launcher = launchers(name) if engine(name) else None
    except EngineError as error:
        pytest.skip(str(error))
    shop = Workshop(launcher, tmp_path, environment_of(launcher))
    assert shop.shell("exit 3").exit.code == 3
    job = shop.start(["/bin/sh", "-c", "echo ready; sleep 60"])
    job.wait_for(b"ready")
    job.process.kill()
    assert job.end().signal == 9
    assert engine(name).call("ps", "--all", "--quiet", "--filter", "name=sagemaker-job-") == ""


@pytest.mark.containers
@pytest.mark.parametrize("name", NAMES)
def test_a_container_without_a_network_has_none(name, engine, launchers, tmp_path):
    engine(name)
    shop = Workshop(launchers(name), tmp_path, environment_of(launchers(name)))
    script = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert shop.script(script, network=False).text == "['lo']\n"
    assert len(shop.script(script).text) > len("['lo']\n")


SERVER = """
import socket
with socket.create_server(("127.0.0.1", 8080)) as server:
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        connection.sendall(open("/opt/ml/name").read().encode())
        connection.close()
"""


@pytest.mark.containers
@pytest.mark.skipif(os.geteuid() != 0, reason="only root enters the network of a container")
@pytest.mark.parametrize("name", NAMES)
def test_servers_without_a_network_are_reached_each_by_itself(name, engine, launchers, tmp_path):
    engine(name)
    shop = Workshop(launchers(name), tmp_path, environment_of(launchers(name)))
    jobs = {
        name: shop.start(["python3", "/opt/ml/s.py"], files={"s.py": SERVER, "name": name}, network=False)
        for name in ("one", "two")
    }
    for name, job in jobs.items():
        job.wait_for(b"ready")
        with job.process.connect(8080, 10) as connection:
            assert connection.recv(100) == name.encode()
        with pytest.raises(ConnectionRefusedError):
            job.process.connect(8081, 10)
    for job in jobs.values():
        job.process.kill()
        job.end()
    with pytest.raises(ConnectionError):
        jobs["one"].process.connect(8080, 10)
