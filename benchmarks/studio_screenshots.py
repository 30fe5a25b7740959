"""Take the screenshots of the docs: run the flights pipeline a few times on an emulator and look at it with Chromium.

Run: ``make screenshots``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import BIN, ROOT, RunningEmulator, emulator
from tests.studio.browser import find_chromium, launched
from tests.studio.servers import serving

IMAGES = ROOT / "docs" / "images"
RUNS: tuple[dict[str, str], ...] = ({}, {"MaxDepth": "3"}, {"MaxDepth": "8", "NumRound": "90"}, {"MinAuc": "0.99"})
WIDTH, HEIGHT = 1440, 860


def run_flights(running: RunningEmulator) -> list[dict[str, Any]]:
    """Run the pipeline with other parameters each time; its executions, the first one first."""
    for parameters in RUNS:
        given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
        # One of them fails, on purpose.
        subprocess.run([BIN / "pipelines", "run", "flights", *given], env=running.environ, cwd=ROOT, check=False)
    answer = running.client("sagemaker").list_pipeline_executions(PipelineName="flights", SortOrder="Ascending")
    found: list[dict[str, Any]] = answer["PipelineExecutionSummaries"]
    return found


def pictures(executions: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    """By name: the address, and whether it is taken in dark colours."""
    first, second, third, failed = (one["PipelineExecutionArn"].rsplit("/", 1)[-1] for one in executions)
    path = "/pipelines/flights/executions"
    return {
        "execution": (f"{path}/{first}?step=Evaluate&tab=output", False),
        "condition": (f"{path}/{failed}?step=CheckQuality", True),
        "executions": ("/pipelines/flights", False),
        "compare": (f"/pipelines/flights/compare?e={first}&e={second}&e={third}&diff=1", False),
        "artifacts": (f"{path}/{first}?view=artifacts", False),
        "model": ("/models/flights/1", False),
        "training": (f"{path}/{third}?step=Train&tab=output", True),
    }


def main() -> int:
    program = find_chromium()
    if program is None:
        print("No Chromium is installed: apt-get install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as running:
        taken = pictures(run_flights(running))
        with serving(running.environ) as server, launched(program) as browser:
            for name, (address, dark) in taken.items():
                browser.resize(WIDTH, HEIGHT, dark=dark)
                browser.open(server.url + address)
                browser.screenshot(IMAGES / f"studio-{name}.png")
                print(IMAGES / f"studio-{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
