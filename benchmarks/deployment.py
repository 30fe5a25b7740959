"""How long `validate`, `plan` and `upsert` take, of a pipeline that is unchanged and of one that has changed.

python -m benchmarks.deployment [--repeat N]

Unchanged: at most half a second. Changed: at most a second more than importing the SageMaker SDK takes, which is
measured beside it. An upsert of an unchanged pipeline makes at most three requests, which the emulator counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.measuring import BIN, ROOT, Cost, emulator, median, run

UNCHANGED_SECONDS = 0.5
BEYOND_IMPORT_SECONDS = 1.0
REQUESTS = 3
PIPELINE = "flights"
COPIED = ("pipelines", "steps", "containers")
COUNTING = """
import sys
from botocore import handlers
handlers.BUILTIN_HANDLERS.append(("before-send", lambda **_: print("request", file=sys.stderr)))
from pipelines.cli import main
main(sys.argv[1:])
"""


def checkout(folder: Path) -> Path:
    """A copy of what a build reads, so that it can be changed."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def touch(root: Path, count: list[int]) -> None:
    """Change a default in the pipeline's code, as someone at work would."""
    count[0] += 1
    path = root / "pipelines" / PIPELINE / "pipeline.py"
    text = path.read_text().partition("\n# change ")[0]
    path.write_text(f"{text}\n# change {count[0]}\n")


def requests_of(arguments: list[str], environ: Mapping[str, str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, *arguments], env=dict(environ), check=True, capture_output=True, text=True
    )
    return done.stderr.count("request\n")


def medians(rows: Mapping[str, Callable[[], Cost]], repeat: int) -> dict[str, Cost]:
    costs: dict[str, list[Cost]] = {name: [] for name in rows}
    for _ in range(repeat):
        for name, row in rows.items():
            costs[name].append(row())
    return {name: median(taken) for name, taken in costs.items()}


def measure(root: Path, environ: Mapping[str, str], repeat: int) -> dict[str, Cost]:
    """Median cost of each command."""
    program, count = str(BIN / "pipelines"), [0]
    sealed = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    sdk = [sys.executable, "-W", "ignore", "-c", "import sagemaker.mlops.workflow"]

    def command(*words: str) -> Cost:
        return run([program, *words], environ, root)

    def changed(*words: str) -> Cost:
        touch(root, count)
        return run([program, *words], environ, root)

    return medians(
        {
            "import of the SDK": lambda: run(sdk, dict(os.environ) | sealed),
            "validate, unchanged": lambda: command("validate", PIPELINE),
            "plan, unchanged": lambda: command("plan", PIPELINE),
            "upsert, unchanged": lambda: command("upsert", PIPELINE),
            "validate, changed": lambda: changed("validate", PIPELINE),
            "plan, changed": lambda: changed("plan", PIPELINE),
        },
        repeat,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deployment-") as folder, emulator(Path(folder, "data")) as server:
        root = checkout(Path(folder, "checkout"))
        environ = {**server.environ, "PIPELINES_ROOT": str(root)}
        run([str(BIN / "pipelines"), "upsert", PIPELINE], environ, root)
        found = measure(root, environ, options.repeat)
        run([str(BIN / "pipelines"), "upsert", PIPELINE], environ, root)
        requests = requests_of(["upsert", PIPELINE], environ)
    limit = found["import of the SDK"].wall + BEYOND_IMPORT_SECONDS
    targets = {name: limit if name.endswith(" changed") else UNCHANGED_SECONDS for name in found if "," in name}
    for name, cost in found.items():
        print(f"{name:20}{cost}{f'   target {targets[name]:.2f} s wall' if name in targets else ''}")
    print(f"{'requests of an upsert':20}{requests:6}     target {REQUESTS}")
    met = requests <= REQUESTS and all(found[name].wall <= target for name, target in targets.items())
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
