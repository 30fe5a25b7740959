"""Studio's pages for a pipeline of 30 steps: how many bytes, how fast answered, how soon visible in Chromium.

A page of every kind has to be at most 50 kB and visible within 0.2 s. Visible
means Chromium's "first contentful paint", measured from the navigation; the style and the script are in its cache, as
from the second page on. Bytes are as sent, without compression.

Run: ``python -m benchmarks.studio_pages``.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import emulator
from tests.integration.emulators import CONTAINERS
from tests.integration.small_pipelines import BUCKET, Runner, processing_step
from tests.studio.browser import Browser, find_chromium, launched
from tests.studio.servers import Server, serving
from tests.studio.world import World, populate, tune

MOST_BYTES = 50_000
MOST_SECONDS = 0.2
ROUNDS = 7


@dataclass(frozen=True)
class Measured:
    name: str
    size: int
    answered: float
    visible: float | None


def thirty_steps(runner: Runner) -> str:
    """A graph with chains, shortcuts and a condition; the ARN of an execution of it that has ended."""
    steps: list[dict[str, Any]] = [processing_step("Load", "code/plain.py")]
    for i in range(26):
        needs = [f"Step{i - 3}" if i >= 3 else "Load"] + ([f"Step{i - 5}"] if i % 4 == 0 and i >= 5 else [])
        steps.append(processing_step(f"Step{i}", "code/plain.py", depends_on=needs))
    branch = {"IfSteps": [processing_step("Publish", "code/plain.py")], "ElseSteps": [_fail("GiveUp")]}
    condition = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    arguments = {"Conditions": [condition], **branch}
    steps.append({"Name": "Check", "Type": "Condition", "Arguments": arguments, "DependsOn": ["Step25", "Step24"]})
    runner.create(*steps, name="thirty")
    execution = runner.start("thirty")
    runner.ended(execution)
    return execution


def _fail(name: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}


def pages(runner: Runner, world: World, execution: str) -> dict[str, str]:
    """A page of every kind."""
    name = world.id(execution)
    job = runner.steps(execution)["Step1"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/quality/1"
    path, good, better = f"/pipelines/thirty/executions/{name}", world.id(world.good), world.id(world.better)
    return {
        "pipelines": "/pipelines",
        "executions": "/pipelines/thirty",
        "pipeline's graph": "/pipelines/thirty?tab=graph",
        "parameters": "/pipelines/quality?tab=parameters",
        "settings": "/pipelines/thirty?tab=settings",
        "start": "/pipelines/quality/start",
        "execution": path,
        "step, input": f"{path}?step=Step1&tab=input",
        "step, output": f"/pipelines/quality/executions/{good}?step=Evaluate&tab=output",
        "step, log": f"{path}?step=Step1&tab=logs",
        "failure": f"/pipelines/broken/executions/{world.id(world.failed)}",
        "times": f"{path}?view=times",
        "artifacts": f"{path}?view=artifacts",
        "compare": f"/pipelines/quality/compare?e={good}&e={better}",
        "jobs": "/jobs?kind=processing",
        "job": f"/jobs/processing/{job}",
        "job's metrics": f"/jobs/processing/{job}?tab=metrics",
        "tuning job": "/jobs/tuning/tuned",
        "models": "/models",
        "versions side by side": "/models/quality?v=1&v=2",
        "model version": "/models/quality/1",
        "lineage": "/lineage",
        "lineage of a version": f"/lineage?of={package}",
        "buckets": "/s3",
        "folder": f"/s3/{BUCKET}?prefix=code/",
        "object": f"/s3/{BUCKET}/object?key=code/good.py",
        "search": "/search?q=thirty",
    }


def measure(server: Server, browser: Browser | None, name: str, path: str) -> Measured:
    answered = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        answer = server.get(path)
        answered.append(time.perf_counter() - begin)
        assert answer.status == 200, (path, answer.words)
    visible = statistics.median(paint(browser, server.url + path) for _ in range(ROUNDS)) if browser else None
    return Measured(name, len(answer.text.encode()), statistics.median(answered), visible)


def paint(browser: Browser, url: str) -> float:
    """Seconds from the navigation to the first contentful paint."""
    browser.open(url)
    script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    return float(browser.until(script)) / 1000


def report(server: Server, measured: list[Measured]) -> bool:
    """Print the table; whether every target is met."""
    parts = sorted(set(re.findall(r'"(/static/[^"]+)"', server.get("/pipelines").text)))
    shared = sum(len(server.get(part).text.encode()) for part in parts)
    print(f"{'page':<24} {'bytes':>8} {'answered':>10} {'visible':>9}")
    missed = False
    for one in measured:
        fails = one.size > MOST_BYTES or (one.visible is not None and one.visible > MOST_SECONDS)
        missed = missed or fails
        mark = "  missed" if fails else ""
        visible = "" if one.visible is None else f"{one.visible:7.3f} s"
        print(f"{one.name:<24} {one.size:>8,} {one.answered:8.3f} s {visible:>9}{mark}")
    print(f"style, script and mark, once: {shared:,} bytes")
    print(f"targets: at most {MOST_BYTES:,} bytes, visible within {MOST_SECONDS} s: {'MISSED' if missed else 'met'}")
    return not missed


def main() -> int:
    program = find_chromium()
    if program is None:
        print("No Chromium is installed, so nothing is drawn: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder), containers_dir=CONTAINERS) as running:
        runner = Runner(running)
        world = populate(runner)
        execution = thirty_steps(runner)
        tune(runner, "tuned")
        kinds = pages(runner, world, execution)
        with serving(running.environ) as server:
            if program is None:
                return 0 if report(server, [measure(server, None, *kind) for kind in kinds.items()]) else 1
            with launched(program) as browser:
                browser.resize(1440, 900)
                return 0 if report(server, [measure(server, browser, *kind) for kind in kinds.items()]) else 1


if __name__ == "__main__":
    sys.exit(main())
