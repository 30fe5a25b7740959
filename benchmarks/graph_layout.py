"""How long Studio takes from a definition of 300 steps to its picture, for several shapes of it.

    python -m benchmarks.graph_layout [--steps 300]

Processor time of this thread, the fastest of several: what else the machine does does not count.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence

from studio.definition import Definition, read_definition
from studio.graph import build_graph
from studio.layout import layout

TARGET_SECONDS = 0.2
REPEAT = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    worst = 0.0
    for name, definition in shapes(options.steps):
        seconds = min(drawn(definition) for _ in range(REPEAT))
        worst = max(worst, seconds)
        print(f"{name:>12} of {options.steps} steps: {seconds:.3f} s")
    print(f"target: {TARGET_SECONDS} s")
    return 0 if worst <= TARGET_SECONDS else 1


def shapes(count: int) -> Iterator[tuple[str, Definition]]:
    everyone = range(count)
    yield "chain", define([[i - 1] if i else [] for i in everyone])
    yield "ladder", define([list(range(i - i % 10 - 10, i - i % 10)) if i >= 10 else [] for i in everyone])
    yield "fan", define([[] if not i else list(range(1, i)) if i == count - 1 else [0] for i in everyone])
    yield "shortcuts", define([sorted({i - 1, i - 40} if i >= 40 else {i - 1} - {-1}) for i in everyone])
    yield "tree", define([sorted({max(0, i - 1 - i % 7), i // 2}) if i else [] for i in everyone])


def define(needs: Sequence[Sequence[int]]) -> Definition:
    steps = [
        {"Name": f"s{i}", "Type": "Processing", "Arguments": {}, "DependsOn": [f"s{need}" for need in those]}
        for i, those in enumerate(needs)
    ]
    return read_definition(json.dumps({"Version": "2020-12-01", "Steps": steps}))


def drawn(definition: Definition) -> float:
    layout.cache_clear()
    began = time.thread_time()
    build_graph(definition)
    return time.thread_time() - began


if __name__ == "__main__":
    sys.exit(main())
