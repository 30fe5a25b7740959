"""What a step costs that does nothing: Processing steps against a shell that starts ``python -c pass`` as often.

    python -m benchmarks.noop_steps [--lengths 10 100 1000] [--fan 200] [--importing 40]

First chains, one step after another; then fans of independent steps, two at a time on both sides: of scripts that do
nothing, the same in a ForEach, of scripts that wait for a tenth of a second, and of scripts that import pandas and
scikit-learn, as nearly every script of a step does. The second shows whether both places are always taken.

Every step stages its script, runs it in a sandbox of its own and records what happened. The figure that counts is
processor time per step, of the emulator with all its processes; it must not grow with the length of the chain.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, Cost, RunningEmulator, emulator, run

BUCKET = "sagemaker-us-east-1-123456789012"
TARGET_MS = 40.0
TARGET_GROWTH = 1.1
TARGET_FAN = 1.2
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
IMPORTS = "import pandas, sklearn.metrics"
WAITS = "import time; time.sleep(0.1)"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


def processing_step(name: str, *, after: str = "", image: str = "plain", script: str = "script") -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Processing",
        "DependsOn": [after] if after else [],
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
            "AppSpecification": {
                "ImageUri": f"{REGISTRY}/{image}:latest",
                "ContainerEntrypoint": ["python3", f"/opt/ml/processing/input/code/{script}.py"],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": f"s3://{BUCKET}/code/{script}.py",
                        "LocalPath": "/opt/ml/processing/input/code",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
        },
    }


def chain(server: RunningEmulator, length: int) -> Cost:
    """The cost of one execution of steps that wait for each other."""
    names = [f"Step{number}" for number in range(length)]
    steps = [processing_step(name, after=before) for name, before in zip(names, ["", *names], strict=False)]
    return execute(server, f"chain-{length}", steps, parallel=1)


def fan(server: RunningEmulator, width: int, **options: str) -> Cost:
    """The cost of one execution of steps that do not, two at a time."""
    steps = [processing_step(f"Step{number}", **options) for number in range(width)]
    return execute(server, "-".join(["fan", str(width), *options.values()]), steps, parallel=2)


def for_each(server: RunningEmulator, count: int) -> Cost:
    """The cost of one execution of a step for each of so many items, two at a time."""
    arguments = {
        "IterableItems": [str(number) for number in range(count)],
        "MaxConcurrency": 2,
        "ForEachBody": [processing_step("Body")],
    }
    return execute(
        server, f"for-each-{count}", [{"Name": "Each", "Type": "ForEach", "Arguments": arguments}], parallel=2
    )


def execute(server: RunningEmulator, name: str, steps: list[dict[str, Any]], parallel: int) -> Cost:
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        RoleArn=ROLE,
        ClientRequestToken=f"{name:x<32}",
        ParallelismConfiguration={"MaxParallelExecutionSteps": parallel},
    )
    began, used = time.perf_counter(), server.cpu()
    execution = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    while True:
        ended = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        if ended["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            break
        time.sleep(0.2)
    if ended["PipelineExecutionStatus"] != "Succeeded":
        sys.exit(f"{execution} ended as {ended['PipelineExecutionStatus']}: {ended.get('FailureReason')}")
    return Cost(time.perf_counter() - began, server.cpu() - used)


def shell(length: int, parallel: int = 1, script: str = "pass") -> Cost:
    """The same number of interpreters that run the script, started by a shell."""
    loop = f"seq {length} | xargs -P {parallel} -I @ {sys.executable} -c '{script}'"
    return run(["/bin/bash", "-c", loop], {"PATH": "/usr/bin:/bin"})


def row(label: str, length: int, ours: Cost, theirs: Cost) -> None:
    sides = "".join(f"{c.wall / length * 1e3:10.1f} wall{c.cpu / length * 1e3:8.1f} CPU" for c in (ours, theirs))
    ratio = ours / theirs
    print(f"{label:>20}{sides}{ratio.wall:12.2f} wall{ratio.cpu:7.2f} CPU")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--fan", type=int, default=200)
    parser.add_argument("--importing", type=int, default=40)
    options = parser.parse_args()
    per_step = {}
    with running(ROOT / "tests/integration/containers") as server:
        chain(server, 3)  # builds the environment and starts its first process
        print(f"{'steps':>20}{'emulator, ms per step':>27}{'shell, ms per step':>27}{'ratio':>29}")
        for length in options.lengths:
            ours = chain(server, length)
            per_step[length] = ours.cpu / length * 1e3
            row(f"chain of {length}", length, ours, shell(length))
        row(f"fan of {options.fan}", options.fan, fan(server, options.fan), shell(options.fan, parallel=2))
        waiting, theirs = fan(server, options.fan, script="waiting"), shell(options.fan, 2, WAITS)
        row(f"fan of {options.fan}, waiting", options.fan, waiting, theirs)
        row("ForEach over 100", 100, for_each(server, 100), shell(100, parallel=2))
    importing(options.importing)
    growth = per_step[max(per_step)] / per_step[sorted(per_step)[-2]] if len(per_step) > 1 else 1.0
    print(f"growth from the second longest to the longest: {growth:.2f}  (target {TARGET_GROWTH})")
    print(f"target: {TARGET_MS:.0f} ms CPU per step; a fan of scripts that wait {TARGET_FAN} of the shell's time")
    met = max(per_step.values()) <= TARGET_MS and growth <= TARGET_GROWTH and (waiting / theirs).wall <= TARGET_FAN
    return 0 if met else 1


def importing(width: int) -> None:
    """A fan of steps that begin as scripts do, in the image of the repo that has both libraries."""
    with running(ROOT / "containers") as server:
        image = {"image": "xgboost", "script": "importing"}
        fan(server, 2, **image)
        row(f"fan of {width}, importing", width, fan(server, width, **image), shell(width, 2, IMPORTS))


@contextmanager
def running(containers: Path) -> Iterator[RunningEmulator]:
    """An emulator with the scripts in its S3."""
    with (
        tempfile.TemporaryDirectory(prefix="noop-") as folder,
        emulator(Path(folder), containers_dir=containers) as server,
    ):
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="code/script.py", Body=b"pass\n")
        for name, script in {"importing": IMPORTS, "waiting": WAITS}.items():
            s3.put_object(Bucket=BUCKET, Key=f"code/{name}.py", Body=script.encode())
        yield server


if __name__ == "__main__":
    sys.exit(main())
