"""What a step costs that does nothing: chains of Processing steps against a shell loop of ``python -c pass``.

    python -m benchmarks.noop_steps [--lengths 10 100 1000]

Every step stages its script, runs it in a sandbox of its own and records what happened. The figure that counts is
processor time per step, of the emulator with all its processes; it must not grow with the length of the chain.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, Cost, RunningEmulator, emulator, run

BUCKET = "sagemaker-us-east-1-123456789012"
TARGET_MS = 40.0
TARGET_GROWTH = 1.1
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain:latest"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


def noop_step(number: int) -> dict[str, Any]:
    return {
        "Name": f"Step{number}",
        "Type": "Processing",
        "DependsOn": [f"Step{number - 1}"] if number else [],
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": f"s3://{BUCKET}/code/script.py",
                        "LocalPath": "/opt/ml/processing/input/code",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
        },
    }


def chain(server: RunningEmulator, length: int) -> Cost:
    """The cost of one execution of a chain."""
    sagemaker = server.client("sagemaker")
    name = f"chain-{length}"
    definition = {"Version": "2020-12-01", "Steps": [noop_step(number) for number in range(length)]}
    sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=ROLE, ClientRequestToken=f"{name:x<32}"
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


def shell(length: int) -> Cost:
    loop = f"for i in $(seq {length}); do {sys.executable} -c pass; done"
    return run(["/bin/bash", "-c", loop], {"PATH": "/usr/bin:/bin"})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 100, 1000])
    options = parser.parse_args()
    per_step = {}
    containers = ROOT / "tests/integration/containers"
    with (
        tempfile.TemporaryDirectory(prefix="noop-") as folder,
        emulator(Path(folder), containers_dir=containers) as server,
    ):
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="code/script.py", Body=b"pass\n")
        chain(server, 3)  # builds the environment and starts its first process
        print(f"{'steps':>6}{'emulator, per step':>36}{'shell, per step':>36}{'CPU ratio':>12}")
        for length in options.lengths:
            ours, theirs = chain(server, length), shell(length)
            per_step[length] = ours.cpu / length * 1e3
            sides = "".join(
                f"{c.wall / length * 1e3:14.1f} ms wall{c.cpu / length * 1e3:9.1f} ms CPU" for c in (ours, theirs)
            )
            print(f"{length:6}{sides}{ours.cpu / theirs.cpu:12.2f}")
    growth = per_step[max(per_step)] / per_step[sorted(per_step)[-2]] if len(per_step) > 1 else 1.0
    print(f"growth from the second longest to the longest: {growth:.2f}  (target {TARGET_GROWTH})")
    print(f"target: {TARGET_MS:.0f} ms CPU per step")
    return 0 if max(per_step.values()) <= TARGET_MS and growth <= TARGET_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
