"""The whole way, on the emulator that a run starts for itself, reached as users reach it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.build import BuiltPipeline
from pipelines.endpoint import find_program


class Checkout:
    """A checkout with an emulator of its own."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "EMULATOR_", "PIPELINES_"))
        } | {"EMULATOR_DATA_DIR": str(data), "EMULATOR_PORT": "0", "PIPELINES_ROOT": str(root)}

    def command(self, program: str, *arguments: str) -> list[str]:
        return [find_program(program) or program, *arguments]

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(program, *arguments),
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root,
            timeout=90,
        )


@pytest.fixture
def checkout(built: BuiltPipeline, tmp_path: Path) -> Checkout:
    """The checkout of ``built``, whose Prepare step fails on the emulator at once: there is no data for it."""
    return Checkout(built.folder.parents[2], tmp_path / "emulator")


def test_a_run_starts_an_emulator_and_stops_it_and_tells_why_it_failed(checkout: Checkout) -> None:
    done = checkout.run("pipelines", "run", "tiny")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "started an endpoint for this run (emulator start)" in done.stdout
    assert "created arn:aws:sagemaker:us-east-1:123456789012:pipeline/tiny" in done.stdout
    assert "Step Prepare failed:" in done.stdout
    assert "No S3 objects found" in done.stdout
    assert "\x1b[" not in done.stdout
    assert checkout.run("emulator", "status").returncode == 3
    stopped = checkout.run("pipelines", "executions", "tiny")
    assert stopped.returncode == 3
    assert "emulator start" in stopped.stderr


def test_keep_leaves_the_emulator_for_the_next_commands(checkout: Checkout) -> None:
    try:
        assert checkout.run("pipelines", "run", "tiny", "--keep").returncode == 1
        listed = checkout.run("pipelines", "executions", "tiny")
        assert listed.stdout.splitlines()[1].split()[1] == "Failed"
        steps = checkout.run("pipelines", "steps", "tiny")
        assert steps.stdout.splitlines()[1].startswith("Prepare  Failed")
        again = checkout.run("pipelines", "run", "tiny", "-p", "MaxDepth=x")
        assert again.returncode == 2
        assert "unchanged" in again.stdout
        assert "is of type Integer" in again.stderr
    finally:
        checkout.run("emulator", "stop")
    assert checkout.run("emulator", "status").returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_the_emulator_that_it_started(checkout: Checkout, number: signal.Signals) -> None:
    code = (
        "import time\nfrom pipelines import cli, workspace\n"
        "workspace.Workspace.start = lambda *_: print('waiting', flush=True) or time.sleep(60)\n"
        "cli.main(['run', 'tiny'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=checkout.variables, stdout=subprocess.PIPE, text=True, cwd=checkout.root
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "waiting\n":
                break
        time.sleep(0.2)
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(30) != 0
    assert checkout.run("emulator", "status").returncode == 3
