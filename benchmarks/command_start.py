"""How long the commands take that a person waits for, and their ratio to an interpreter that does nothing.

python -m benchmarks.command_start [--repeat N]
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

from benchmarks.measuring import BIN, ROOT, emulator, run

TARGETS = {"emulator start": 0.8, "pipelines --help": 0.3, "pipelines executions": 0.5}


def start_and_stop(folder: Path) -> float:
    """Seconds until ``emulator start`` has returned, which is when the emulator answers."""
    environ = {**os.environ, "EMULATOR_DATA_DIR": str(folder), "EMULATOR_PORT": "0"}
    began = time.perf_counter()
    subprocess.run([BIN / "emulator", "start"], env=environ, check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - began
    subprocess.run([BIN / "emulator", "stop"], env=environ, check=True, stdout=subprocess.DEVNULL)
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="start-") as folder, emulator(Path(folder, "one")) as server:
        pipelines = str(BIN / "pipelines")
        run([pipelines, "upsert", "flights"], server.environ)
        rows: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: run([sys.executable, "-c", "pass"], os.environ).wall,
            "emulator start": lambda: start_and_stop(Path(folder, "two")),
            "pipelines --help": lambda: run([pipelines, "--help"], server.environ).wall,
            "pipelines executions": lambda: run([pipelines, "executions", "flights"], server.environ, ROOT).wall,
        }
        times = {name: [row() for _ in range(options.repeat)] for name, row in rows.items()}
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        target = f"   target {TARGETS[name]} s" if name in TARGETS else ""
        print(f"{name:22}{median:7.3f} s{median / medians['python -c pass']:8.1f} x python{target}")
    return 0 if all(medians[name] <= target for name, target in TARGETS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
