"""The flights pipeline on a running emulator against its three scripts run by hand in a shell.

    python -m benchmarks.flights_pipeline [--repeat N] [--rows N]

Both sides run the same scripts on the same data in the same environments, in turns. The emulator's side is all of it:
the command ``pipelines run``, the emulator, its sandboxes and jobs. Each run reads its data from another prefix, so
that step caching never answers. First all 336,776 flights, where computing dominates, then ``--rows`` of them, where
imports do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measuring import BIN, ROOT, Cost, RunningEmulator, emulator, median, run, run_on
from emulator.images import Environment, Images
from emulator.settings import Settings
from pipelines.flights.seed import seed

BUCKET = "sagemaker-us-east-1-123456789012"
TARGETS = {"all flights": 0.75, "few flights": 0.4}


def environments() -> tuple[Environment, Environment]:
    images = Images(ROOT / "containers", Settings.load().cache_dir)
    processing, xgboost = (
        images.environment(images.resolve(f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{name}:latest"), print)
        for name in ("processing", "xgboost")
    )
    return processing, xgboost


def by_hand(data: Path, work: Path) -> Cost:
    """The three scripts, one after another, as a person would call them."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "model").mkdir(parents=True)
    processing, xgboost = environments()
    steps = ROOT / "steps"
    lines = [
        "set -e",
        f"{processing.python} {steps}/preprocess/script.py --input {data} --output {work} --message {work}/message",
        f"{xgboost.python} {steps}/train/script.py --train {work}/train --validation {work}/validation"
        f" --features {work}/features --model {work}/model",
        f"tar czf {work}/model/model.tar.gz -C {work}/model xgboost-model metadata.json",
        f"{xgboost.python} {steps}/evaluate/script.py --model {work}/model --test {work}/test --train {work}/train"
        f" --output {work}/evaluation --message {work}/message",
    ]
    # The image sets these for its programs; the shell gets the same.
    return run(["/bin/bash", "-c", "\n".join(lines)], {"PATH": "/usr/bin:/bin", **xgboost.env})


class OnEmulator:
    """``pipelines run flights``, each time on data under another prefix."""

    def __init__(self, server: RunningEmulator, data: Path) -> None:
        self._server = server
        self._data = data
        self._runs = 0

    def __call__(self) -> Cost:
        self._runs += 1
        prefix = f"benchmark/{self._data.name}-{self._runs}"
        s3 = self._server.client("s3")
        for table in self._data.iterdir():
            s3.upload_file(str(table), BUCKET, f"{prefix}/{table.name}")
        parameters = ["-p", f"InputDataUri=s3://{BUCKET}/{prefix}/", "-p", "MinAuc=0.5"]
        return run_on(self._server, [str(BIN / "pipelines"), "run", "flights", *parameters])


def measure(name: str, shell: Callable[[], Cost], pipeline: Callable[[], Cost], repeat: int) -> bool:
    shell(), pipeline()
    pairs = [(shell(), pipeline()) for _ in range(repeat)]
    print(f"{name}")
    for label, side in (("by hand in a shell", 0), ("pipelines run", 1)):
        print(f"  {label:20}{median([pair[side] for pair in pairs])}")
    ratio = median([pipeline / shell for shell, pipeline in pairs])
    target = TARGETS[name]
    print(f"  {'ratio':20}{ratio.wall:7.2f}        {ratio.cpu:7.2f}          target {target}")
    return ratio.wall <= target and ratio.cpu <= target


def few(data: Path, rows: int, into: Path) -> Path:
    """The tables with only ``rows`` flights, spread over the year."""
    shutil.copytree(data, into)
    header, *lines = (data / "flights.csv").read_text().splitlines(keepends=True)
    step = max(1, len(lines) // rows)
    (into / "flights.csv").write_text(header + "".join(lines[::step][:rows]))
    return into


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="counted runs of each side (default 3)")
    parser.add_argument("--rows", type=int, default=4000, help="flights of the second comparison (default 4000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flights-") as folder, emulator(Path(folder, "emulator")) as server:
        data = Path(folder, "all")
        data.mkdir()
        seed(data)
        server.client("s3").create_bucket(Bucket=BUCKET)
        samples = {"all flights": data, "few flights": few(data, options.rows, Path(folder, "few"))}
        kept = []
        for name, sample in samples.items():
            shell = partial(by_hand, sample, Path(folder, "work"))
            kept.append(measure(name, shell, OnEmulator(server, sample), options.repeat))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
