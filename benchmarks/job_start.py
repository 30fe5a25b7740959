"""How long a job takes to start, and what it costs: the launchers against a cold interpreter, in one run.

    python -m benchmarks.job_start [--repeat N]

The script of every row imports pandas, scikit-learn and xgboost and writes down when it is running. Rows take turns, so
that a busy machine slows all of them; the medians are printed. CPU is that of every process of the row, the
emulator's side included. The environment is the one that runs this program.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from emulator.images import Environment
from emulator.launchers import Launch, Launcher
from emulator.launchers.namespaces import NamespaceLauncher
from emulator.launchers.sandbox.memory import descendants

IMPORTS = "pandas", "sklearn.metrics", "xgboost"
IMPORTING = f"import {', '.join(IMPORTS)}\n"
STAMP = "import sys, time\nopen(sys.argv[1], 'w').write(repr(time.time()))\n"
TARGET_START_MS = 50.0
Row = Callable[[], float]


class Bench:
    """Each method does one job and returns the seconds from asking for it to its script running."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        roots = [Path(sys.prefix), Path(sys.base_prefix)]
        python = Path(sys.executable)
        self._environment = Environment("bench", python, Path(sys.prefix) / "bin", roots, list(IMPORTS))
        self.launchers = {name: NamespaceLauncher(folder / name, warm=name == "warm") for name in ("warm", "process")}

    def cold(self, script: str) -> float:
        directory = self._new_job(script)
        began = time.time()
        subprocess.run([sys.executable, directory / "ml/script.py", directory / "ml/stamp"], check=True)
        return self._stamp(directory) - began

    def job(self, launcher: Launcher, script: str, command: list[str]) -> float:
        directory = self._new_job(script)
        name, env = directory.name, self._environment
        launch = Launch(name, directory, env, command, {}, "algo-1", ["algo-1"], [], True, 0, lambda _: None)
        began = time.time()
        ended = launcher.launch(launch).wait(60)
        assert ended is not None
        assert ended.code == 0, ended
        return self._stamp(directory) - began

    def _new_job(self, script: str) -> Path:
        self._number += 1
        directory = self._folder / f"job-{self._number}"
        (directory / "ml").mkdir(parents=True)
        (directory / "ml/script.py").write_text(script + STAMP)
        return directory

    def _stamp(self, directory: Path) -> float:
        return float((directory / "ml/stamp").read_text())


def rows(bench: Bench) -> dict[str, Row]:
    script = ["python3", "/opt/ml/script.py", "/opt/ml/stamp"]
    in_bash = ["/bin/bash", "-c", " ".join(script)]
    warm, process = bench.launchers["warm"], bench.launchers["process"]
    return {
        "python, importing nothing": lambda: bench.cold(""),
        "python, importing the libraries": lambda: bench.cold(IMPORTING),
        "process launcher, the libraries": lambda: bench.job(process, IMPORTING, script),
        "warm launcher, the libraries": lambda: bench.job(warm, IMPORTING, script),
        "warm launcher, python within bash": lambda: bench.job(warm, IMPORTING, in_bash),
    }


def own_seconds() -> float:
    own = os.times()
    return own.user + own.system + own.children_user + own.children_system


def sandbox_seconds() -> float:
    """CPU of all that descends from this process and of its children that have ended."""
    ticks = 0
    for pid in descendants(os.getpid()):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15, help="jobs of each row (default 15)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="job-start-") as folder:
        bench = Bench(Path(folder))
        try:
            return report(measure(rows(bench), options.repeat))
        finally:
            for launcher in bench.launchers.values():
                launcher.close()


def measure(table: dict[str, Row], repeat: int) -> dict[str, tuple[float, float, float]]:
    """Row to milliseconds: until the script runs, until the job has ended, and CPU of a job on average."""
    started: dict[str, list[float]] = {name: [] for name in table}
    ended: dict[str, list[float]] = {name: [] for name in table}
    cpu = dict.fromkeys(table, 0.0)
    for row in table.values():
        row()
    for _ in range(repeat):
        for name, row in table.items():
            sandbox = sandbox_seconds()
            began, own = time.perf_counter(), own_seconds()  # last, as looking at /proc costs more than some jobs
            started[name].append(row() * 1e3)
            ended[name].append((time.perf_counter() - began) * 1e3)
            own = own_seconds() - own
            cpu[name] += (own + sandbox_seconds() - sandbox) / repeat * 1e3
    return {name: (statistics.median(started[name]), statistics.median(ended[name]), cpu[name]) for name in table}


def report(results: dict[str, tuple[float, float, float]]) -> int:
    print(f"{'':36}{'to script':>12}{'to end':>12}{'CPU':>12}")
    for name, figures in results.items():
        print(f"{name:36}" + "".join(f"{value:9.1f} ms" for value in figures))
    cold = results["python, importing the libraries"]
    warm = results["warm launcher, the libraries"]
    ratios = [other / own for other, own in zip(cold, warm, strict=True)]
    print(f"{'cold / warm':36}" + "".join(f"{ratio:10.1f} x" for ratio in ratios))
    print(f"target: {TARGET_START_MS:.0f} ms to the script of a warm job")
    return 0 if warm[0] <= TARGET_START_MS else 1


if __name__ == "__main__":
    sys.exit(main())
