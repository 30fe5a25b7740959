"""What benchmarks of whole programs share: an emulator of their own, processor time of process trees (Linux)."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the clock on the wall, and of processors."""

    wall: float
    cpu: float

    def __truediv__(self, other: Cost) -> Cost:
        return Cost(self.wall / other.wall, self.cpu / other.cpu)

    def __str__(self) -> str:
        return f"{self.wall:7.2f} s wall {self.cpu:7.2f} s CPU"


def median(costs: Sequence[Cost]) -> Cost:
    """The median of the walls, and of the processors."""
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs))


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator in a process of its own, and the environment in which a client reaches it."""

    pid: int
    environ: Mapping[str, str]

    def cpu(self) -> float:
        """Processor seconds of the emulator with everything it has started, ended or not."""
        return sum(_cpu_of(pid) for pid in (self.pid, *descendants(self.pid)))

    def client(self, service: str) -> Any:
        import boto3

        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environ["AWS_SECRET_ACCESS_KEY"],
        )


@contextmanager
def emulator(data_dir: Path, **settings: object) -> Iterator[RunningEmulator]:
    """Start an emulator on a free port, and stop it at the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"EMULATOR_DATA_DIR": str(data_dir), "EMULATOR_PORT": "0"}
    environ |= {f"EMULATOR_{name.upper()}": str(value) for name, value in settings.items()}
    command = str(BIN / "emulator")
    subprocess.run([command, "start"], check=True, env=environ, stdout=subprocess.DEVNULL)
    try:
        exports = json.loads(subprocess.check_output([command, "env", "--format", "json"], env=environ))
        pid = json.loads(subprocess.check_output([command, "status", "--json"], env=environ))["pid"]
        yield RunningEmulator(pid, environ | {name: value for name, value in exports.items() if value is not None})
    finally:
        subprocess.run([command, "stop"], check=True, env=environ, stdout=subprocess.DEVNULL)


def run(command: list[str], environ: Mapping[str, str], folder: Path = ROOT) -> Cost:
    """What a command and its children cost; its output goes nowhere unless it fails."""
    began, used = time.perf_counter(), _children()
    done = subprocess.run(command, env=dict(environ), cwd=folder, capture_output=True, text=True, check=False)
    cost = Cost(time.perf_counter() - began, _children() - used)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return cost


def run_on(emulator: RunningEmulator, command: list[str]) -> Cost:
    """What a command costs with all that the emulator does for it."""
    used = emulator.cpu()
    cost = run(command, emulator.environ)
    return Cost(cost.wall, cost.cpu + emulator.cpu() - used)


def descendants(pid: int) -> list[int]:
    """Every living process below ``pid``."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def _cpu_of(pid: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system
