"""What launchers tell of the use of the machine: while a job runs and when it has ended."""

from __future__ import annotations

import os

import pytest

from .conftest import LAUNCHERS
from .workshop import PRELOAD, Workshop, environment_of

BUSY = """\
import sys, time
held = bytearray(48 << 20)
until = time.process_time() + float(sys.argv[1])
while time.process_time() < until:
    pass
print("worked", flush=True)
time.sleep(float(sys.argv[2]))
"""
COUNT = "import os; print(os.cpu_count(), len(os.sched_getaffinity(0)), sorted(os.sched_getaffinity(0)))"


@pytest.fixture(params=LAUNCHERS)
def shop(request, launchers, tmp_path):
    if request.param != "redirect":
        request.getfixturevalue("namespaces")
    launcher = launchers(request.param)
    return Workshop(launcher, tmp_path, environment_of(launcher, PRELOAD))


def test_a_job_at_work_tells_what_it_uses(shop):
    job = shop.start(["python3", "/opt/ml/busy.py", "0.3", "30"], files={"busy.py": BUSY})
    job.wait_for(b"worked")
    usage = job.process.usage()
    assert 0.25 <= usage.cpu_seconds < 3
    assert 48 << 20 <= usage.memory_bytes < 500 << 20
    job.process.kill()
    job.end()
    assert job.process.usage() is None


def test_children_count(shop):
    script = "python3 /opt/ml/busy.py 0.2 30 & python3 /opt/ml/busy.py 0.2 30 & wait"
    job = shop.start(["sh", "-c", script], files={"busy.py": BUSY})
    job.wait_for(b"worked\nworked")
    usage = job.process.usage()
    assert usage.cpu_seconds >= 0.35
    assert usage.memory_bytes >= 96 << 20
    job.process.kill()
    job.end()


def test_the_end_tells_what_was_used_in_all(shop):
    job = shop.run(["python3", "/opt/ml/busy.py", "0.2", "0"], files={"busy.py": BUSY})
    assert 0.15 <= job.exit.usage.cpu_seconds < 3
    assert job.exit.usage.memory_bytes >= 48 << 20


def test_the_shortest_job_has_used_something(shop):
    job = shop.run(["python3", "-c", "pass"])
    assert job.exit.code == 0
    assert job.exit.usage.memory_bytes > 0
    assert job.exit.usage.cpu_seconds >= 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the machine has one processor")
def test_a_job_sees_and_has_no_more_processors_than_it_may(shop):
    every = sorted(os.sched_getaffinity(0))
    one = every[1]
    seen = len(every) if shop.launcher.isolation == "none" else 1  # without a sandbox it sees all, and has one
    for command in (["python3", "-c", COUNT], ["sh", "-c", f"python3 -c '{COUNT}'"]):
        assert shop.run(command, cpus=(one,)).text.strip() == f"{seen} 1 [{one}]"
    assert shop.run(["python3", "-c", COUNT]).text.strip().endswith(str(every))
