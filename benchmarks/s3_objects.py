"""S3 against the file system: one large object put and got, and many small ones staged.

    python -m benchmarks.s3_objects [--size MIB] [--objects N] [--repeat N]

Prints ratios: a put or get of boto3 over ``cp`` of the same bytes, turn by turn in the same run. Like the store, ``cp``
writes a new file before the old one goes: to write over a file whose pages the system still holds takes a third of the
time. The emulator's S3 runs in a process of its own, whose peak memory is printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import emulator

MIB = 1 << 20
LIMIT_RATIO, LIMIT_MEMORY_MIB, LIMIT_STAGING_SECONDS = 8.0, 100, 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024, metavar="MIB", help="size of the large object (default 1024)")
    parser.add_argument("--objects", type=int, default=10_000, help="small objects to stage (default 10000)")
    parser.add_argument("--repeat", type=int, default=3, help="take the median of so many (default 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="s3-objects-") as folder:
        root = Path(folder)
        large_object(root, options.size * MIB, options.repeat)
        staging(root, options.objects, options.repeat)


def large_object(root: Path, size: int, repeat: int) -> None:
    source = root / "source"
    write_random(source, size)
    with emulator(root / "data") as running:
        client = running.client("s3")
        client.create_bucket(Bucket="benchmark")
        turns = {"cp": lambda: copy(source, root / "copy"), **actions(client, source, root / "got")}
        times: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(repeat):
            for name, action in turns.items():
                times[name].append(median(1, action))
        copied, *taken = [statistics.median(seconds) for seconds in times.values()]
        print(f"cp of {size // MIB} MiB: {copied:.2f} s")
        for name, seconds in zip(list(turns)[1:], taken, strict=True):
            report(f"{name} / cp", seconds / copied, LIMIT_RATIO, f"{seconds:.2f} s")
        report("peak memory of the emulator, MiB", peak_memory(running.pid), LIMIT_MEMORY_MIB)


def actions(client: Any, source: Path, target: Path) -> dict[str, Callable[[], None]]:
    def put_object() -> None:
        with source.open("rb") as file:
            client.put_object(Bucket="benchmark", Key="k", Body=file)

    def get_object() -> None:
        body = client.get_object(Bucket="benchmark", Key="k")["Body"]
        new = target.with_suffix(".new")
        with new.open("wb") as file:
            shutil.copyfileobj(body, file, MIB)
        new.replace(target)

    return {
        "put_object": put_object,
        "get_object": get_object,
        "upload_file (multipart)": lambda: client.upload_file(str(source), "benchmark", "k"),
        "download_file (ranges)": lambda: client.download_file("benchmark", "k", str(target)),
    }


def staging(root: Path, count: int, repeat: int) -> None:
    from emulator.store.objects import ObjectStore
    from emulator.store.resources import Scope

    store = ObjectStore(root / "objects")
    store.create_bucket(Scope("123456789012", "us-east-1"), "benchmark")
    began = time.perf_counter()
    for number in range(count):
        store.put_bytes("benchmark", f"data/{number % 100:02}/{number:06}", b"x" * 100)
    print(f"{count} objects written by the Python API: {time.perf_counter() - began:.2f} s")

    def stage() -> None:
        farm = Path(tempfile.mkdtemp(dir=root))
        store.link(((stored, stored.key) for stored in store.list_objects("benchmark", "data/")), farm)

    report(f"list and link {count} objects, s", median(repeat, stage), LIMIT_STAGING_SECONDS * max(1, count / 10_000))
    store.close()


def median(repeat: int, action: Callable[[], None]) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def report(what: str, value: float, limit: float, note: str = "") -> None:
    verdict = "ok" if value <= limit else "TOO MUCH"
    print(f"{what}: {value:.2f} (limit {limit:g}) {verdict} {note}".rstrip())


def write_random(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))


def copy(source: Path, target: Path) -> None:
    new = target.with_suffix(".new")
    subprocess.run(["cp", str(source), str(new)], check=True)
    new.replace(target)


def peak_memory(pid: int) -> float:
    """Peak resident memory in MiB (Linux); without /proc, not a number."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
