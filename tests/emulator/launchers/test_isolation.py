"""What a job may see and do where the machine gives it namespaces."""

import os
import socket
import threading
from pathlib import Path

import pytest

from .workshop import Workshop, environment_of_tests


def test_a_job_has_its_own_process_table(sandbox):
    job = sandbox.shell("ls /proc | grep -c '^[0-9]'; cat /proc/1/comm")
    count, init = job.text.split()
    assert int(count) <= 6
    assert init in ("warden", "zygote", "python", "python3")


def test_there_is_no_home_and_nothing_of_the_hosts_folders(sandbox, tmp_path):
    job = sandbox.shell("ls -A /home /mnt /srv /run /var/log; ls -A /root | grep -v config; echo $HOME; ls /tmp")
    names = [line for line in job.text.splitlines() if line and not line.endswith(":")]
    # The interpreter and its environment may lie below a home folder or /tmp: only their paths are there.
    paths = [Path(os.path.realpath(prefix)) for prefix in (os.sys.base_prefix, os.sys.prefix)]
    allowed = {"/root", *(part for path in paths for part in path.parts)}
    assert set(names) <= allowed


def test_the_folder_of_the_tests_cannot_be_seen(sandbox):
    assert sandbox.shell(f"ls {Path(__file__).parent}").exit.code != 0


def test_jobs_cannot_see_each_other(sandbox):
    first = sandbox.start(["/bin/sh", "-c", "echo x > /opt/ml/own; echo x > /tmp/own; echo ready; sleep 30"])
    first.wait_for(b"ready")
    second = sandbox.shell("ls /opt/ml /tmp; ls /proc/[0-9]*/comm | wc -l")
    assert "own" not in second.text
    first.process.kill()
    first.end()


@pytest.mark.parametrize("path", ["/top-file", "/var/lib/x", "/opt/program/x", "/etc/passwd", "/root/x", "/home/x/y"])
def test_writes_outside_succeed_and_vanish(sandbox, path):
    before = Path(path).read_bytes() if Path(path).exists() else None
    assert sandbox.shell(f"mkdir -p {Path(path).parent} && echo written > {path} && cat {path}").text == "written\n"
    after = Path(path).read_bytes() if Path(path).exists() else None
    assert after == before
    assert "written" not in sandbox.shell(f"cat {path} 2>/dev/null").text


@pytest.mark.parametrize("path", ["/usr/x", "/bin/sh", "/dev/x", "/proc/sys/kernel/core_pattern", "/sys/x"])
def test_the_hosts_programs_and_kernel_cannot_be_changed(sandbox, path):
    assert sandbox.shell(f"echo x > {path}").exit.code != 0


@pytest.mark.parametrize(
    "command", ["mount -t tmpfs x /mnt", "umount /usr", "mount -o remount,rw /usr", "unshare -m true", "dmesg -C"]
)
def test_a_job_has_no_power_over_its_sandbox(sandbox, command):
    assert sandbox.shell(command).exit.code != 0


@pytest.mark.parametrize("name", ["environ", "mem", "root/etc/hosts", "fd/0", "maps"])
def test_a_job_cannot_reach_into_init(sandbox, name):
    job = sandbox.script(f"open('/proc/1/{name}', 'rb').read(1)")
    assert "PermissionError" in job.text


def test_kill_of_everything_leaves_the_sandbox_in_order(sandbox):
    job = sandbox.shell("(sleep 30 &); kill -9 -1")
    assert job.exit.code in (0, 137)
    assert sandbox.shell("echo again").text == "again\n"


def test_hosts_resolve_to_the_sandbox(sandbox):
    names = "('algo-1', 'algo-2', 'localhost')"
    text = f"import socket; print(*[socket.gethostbyname(name) for name in {names}], socket.gethostname())"
    assert sandbox.script(text).text == "127.0.0.1 127.0.0.1 127.0.0.1 algo-1\n"


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def answer():
            try:
                listener.accept()[0].close()
            except TimeoutError:
                return

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        with socket.socket() as poke:
            poke.connect_ex(listener.getsockname())
        thread.join()


@pytest.mark.parametrize(("network", "expected"), [(True, "reached\n"), (False, "ConnectionRefusedError\n")])
def test_the_host_is_reached_with_a_network_only(sandbox, server, network, expected):
    text = f"""
import socket
try:
    socket.create_connection(("127.0.0.1", {server}), 5).close()
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""
    assert sandbox.script(text, network=network).text == expected


def test_without_a_network_loopback_works_and_there_is_no_way_out(sandbox):
    text = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
try:
    socket.create_connection(("192.0.2.1", 80), 2)
except OSError as error:
    print(error.strerror)
print([name for _, name in socket.if_nameindex()])
"""
    assert sandbox.script(text, network=False).text == "Network is unreachable\n['lo']\n"


def test_pip_settings_go_with_the_network(sandbox, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "some.whl").write_text("x")
    assert "some.whl" in sandbox.shell("ls $PIP_FIND_LINKS").text
    assert sandbox.shell('echo "[$PIP_FIND_LINKS]"', network=False).text == "[]\n"


def test_files_of_the_image(sandbox, tmp_path):
    (tmp_path / "program").mkdir()
    (tmp_path / "program/main.sh").write_text("#!/bin/sh\necho main $1\n")
    (tmp_path / "program/main.sh").chmod(0o755)
    files = [(tmp_path / "program", "/opt/program"), (tmp_path / "program/main.sh", "/usr/local/bin/train")]
    image = environment_of_tests(f"copied-{sandbox.launcher.name}", files=files, workdir="/opt/program")
    shop = Workshop(sandbox.launcher, tmp_path / "jobs", image)
    assert shop.run(["./main.sh", "a"]).text == "main a\n"
    assert shop.run(["train", "b"]).text == "main b\n"
    assert shop.shell("pwd; echo changed > main.sh").text == "/opt/program\n"
    assert "echo main" in (tmp_path / "program/main.sh").read_text()
    assert shop.run(["./main.sh", "a"]).text == "main a\n"


def test_a_variable_of_the_image_and_of_the_job(sandbox, tmp_path):
    image = environment_of_tests(f"variables-{sandbox.launcher.name}", env={"A": "image", "B": "image"})
    shop = Workshop(sandbox.launcher, tmp_path / "jobs", image)
    assert shop.shell("echo $A $B", env={"B": "job"}).text == "image job\n"


def test_a_warden_that_was_killed_is_replaced(sandbox, tmp_path):
    shop = Workshop(sandbox.launcher, tmp_path / "jobs", environment_of_tests(f"killed-{sandbox.launcher.name}"))
    running = shop.start(["/bin/sh", "-c", "echo ready; sleep 60"])
    running.wait_for(b"ready")
    warden = sandbox.launcher._wardens[shop.environment.name]
    warden._process.kill()
    assert running.end().code == 137
    assert shop.shell("echo alive").text == "alive\n"


def test_what_a_job_wrote_is_removed(sandbox):
    job = sandbox.shell("mkdir -m 0 /opt/locked /tmp/locked; echo x > /root/file; echo x > /tmp/file")
    assert job.exit.code == 0, job.text
    assert sorted(path.name for path in job.directory.iterdir()) == ["ml"]
