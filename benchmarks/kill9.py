"""Kill the emulator at random moments of pipelines and compare what becomes of them with an undisturbed run.

    python -m benchmarks.kill9 [--rounds 200] [--seed 1] [--machine]

Every round runs pipelines with branches, failures and a stop at the same time, kills the emulator with ``kill -9`` at
a random moment and starts it again, which in three of ten rounds is killed as well. Prints one line per round and a
summary; the exit status is 1 if anything was lost, done twice or left behind. With --machine every process of the
emulator is killed, as when the machine dies: then functions that ran may have failed, and have not run twice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.storm import Storm


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="how many rounds, each with at least one kill")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same moments")
    parser.add_argument("--machine", action="store_true", help="kill what would outlive the emulator, too")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill9-") as folder:
        storm = Storm(Path(folder) / "data", options.seed, machine=options.machine)
        complaints = storm.run(options.rounds, lambda text: print(text, flush=True))
    for complaint in complaints:
        print(complaint)
    kept = f"{len(storm.ledger.objects)} objects and {len(storm.ledger.groups)} groups acknowledged"
    print(
        f"{options.rounds} rounds, {storm.victim.kills} kills, {storm.executions} executions, {kept},"
        f" {len(storm.interrupted)} functions interrupted, {len(complaints)} complaints,"
        f" {time.monotonic() - began:.0f} s"
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
