"""Staging a channel of many objects against copying the same files with ``cp -r``, in one run.

The objects are put into a real object store first; staging is what a job does with them: list, check, link. Run:
``python -m benchmarks.stage_channel``.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from emulator.jobs.plan import Command, Input, Plan, Source
from emulator.jobs.staging import Stage
from emulator.jobs.tree import remove_tree
from emulator.store.objects import ObjectStore
from emulator.store.resources import Scope

TARGET_SECONDS = 0.5
CHANNEL = "/opt/ml/input/data/train"
PLAN = Plan("image", Command(None, None), {}, "role", [Input("train", Source("s3://bench/train/"), CHANNEL)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=4096, help="size of one object")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        objects = ObjectStore(root / "objects")
        try:
            _fill(objects, root / "plain", options.objects, options.bytes)
            staging = [_timed(lambda: _stage(objects, root)) for _ in range(options.rounds)]
            copying = [_timed(lambda: _copy(root)) for _ in range(options.rounds)]
        finally:
            objects.close()
    return _report(options.objects, statistics.median(staging), statistics.median(copying))


def _fill(objects: ObjectStore, plain: Path, count: int, size: int) -> None:
    objects.create_bucket(Scope("123456789012", "us-east-1"), "bench")
    for number in range(count):
        name = f"part-{number % 100:02d}/{number:06d}.csv"
        data = number.to_bytes(8, "big") * (size // 8)
        objects.put_bytes("bench", f"train/{name}", data)
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_bytes(data)


def _stage(objects: ObjectStore, root: Path) -> Callable[[], None]:
    job = root / "job"
    Stage(objects, "us-east-1", job / "ml", job / "inputs").lay_out(PLAN)
    return lambda: remove_tree(job)


def _copy(root: Path) -> Callable[[], None]:
    subprocess.run(["cp", "-r", str(root / "plain"), str(root / "copy")], check=True)
    return lambda: shutil.rmtree(root / "copy")


def _timed(action: Callable[[], Callable[[], None]]) -> float:
    began = time.perf_counter()
    clean = action()
    seconds = time.perf_counter() - began
    clean()
    return seconds


def _report(count: int, staging: float, copying: float) -> int:
    print(f"stage {count} objects {staging:8.3f} s (target: at most {TARGET_SECONDS} s for 10,000)")
    print(f"cp -r {count} files   {copying:8.3f} s")
    print(f"ratio                {staging / copying:8.2f}")
    return 0 if staging <= TARGET_SECONDS * count / 10_000 else 1


if __name__ == "__main__":
    raise SystemExit(main())
