"""Whether a long past slows a pipeline down: the same calls after 10 executions and after 10,000.

    python -m benchmarks.past_executions [--many 10000]

Executions of one Condition step are run to their end. The figure is the processor time that the emulator spends on a
call, against the same call after ten executions: it does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import RunningEmulator, emulator

FEW = 10
REPEAT = 200
TARGET_RATIO = 1.25
"""A tick of the processor's clock is a twentieth of a millisecond per call."""
PIPELINE = "past"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
STEP = {
    "Name": "Decide",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": [],
        "ElseSteps": [],
    },
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=10_000, help="executions that lie in the past (default 10000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="past-") as folder, emulator(Path(folder)) as server:
        sagemaker = server.client("sagemaker")
        sagemaker.create_pipeline(
            PipelineName=PIPELINE,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [STEP]}),
            RoleArn=ROLE,
            ClientRequestToken="x" * 32,
        )
        run(sagemaker, FEW)
        few = measure(server, sagemaker)
        began = time.perf_counter()
        run(sagemaker, options.many - FEW)
        print(f"{options.many - FEW} executions in {time.perf_counter() - began:.0f} s")
        many = measure(server, sagemaker)
    return report(few, many, options.many)


def run(sagemaker: Any, count: int) -> None:
    """Start so many executions, a hundred at a time, and wait until they have ended."""
    for first in range(0, count, 100):
        arns = [start(sagemaker) for _ in range(min(100, count - first))]
        while any(status(sagemaker, arn) == "Executing" for arn in arns):
            time.sleep(0.02)


def start(sagemaker: Any) -> str:
    arn: str = sagemaker.start_pipeline_execution(PipelineName=PIPELINE)["PipelineExecutionArn"]
    return arn


def status(sagemaker: Any, arn: str) -> str:
    found: str = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
    return found


def to_the_end(sagemaker: Any) -> None:
    arn = start(sagemaker)
    while status(sagemaker, arn) == "Executing":
        time.sleep(0.005)


def measure(server: RunningEmulator, sagemaker: Any) -> dict[str, float]:
    """Milliseconds of processor time of each call, the mean of many, once what was before has settled."""
    settle(server)
    arn = start(sagemaker)
    calls: dict[str, Callable[[], object]] = {
        "ListPipelineExecutions": lambda: sagemaker.list_pipeline_executions(PipelineName=PIPELINE, MaxResults=FEW),
        "ListPipelineExecutions by time": lambda: sagemaker.list_pipeline_executions(
            PipelineName=PIPELINE, SortBy="CreationTime", SortOrder="Ascending", MaxResults=FEW
        ),
        "ListPipelines": sagemaker.list_pipelines,
        "ListPipelineExecutionSteps": lambda: sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn),
        "an execution from start to end": lambda: to_the_end(sagemaker),
    }
    return {name: milliseconds(server, call) for name, call in calls.items()}


def settle(server: RunningEmulator) -> None:
    used = -1.0
    while (now := server.cpu()) > used:
        used = now
        time.sleep(1)


def milliseconds(server: RunningEmulator, call: Callable[[], object]) -> float:
    used = server.cpu()
    for _ in range(REPEAT):
        call()
    return (server.cpu() - used) / REPEAT * 1e3


def report(few: dict[str, float], many: dict[str, float], count: int) -> int:
    print(f"{'ms CPU':>34}{f'after {FEW}':>14}{f'after {count}':>14}{'ratio':>8}")
    for name, before in few.items():
        print(f"{name:>34}{before:14.2f}{many[name]:14.2f}{many[name] / before:8.2f}")
    worst = max(many[name] / few[name] for name in few)
    print(f"worst ratio: {worst:.2f} (target {TARGET_RATIO})")
    return 0 if worst <= TARGET_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
