"""The README's tutorial is what a new user types: every block of it is written and run here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"<!-- tutorial: (?P<name>\S+) -->\n```\w*\n(?P<text>.*?)```", re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The definitions and the tool, without state, environments and history."""
    checkout = tmp_path / "checkout"
    for folder in ("pipelines", "steps", "containers", "emulator", "studio"):
        shutil.copytree(ROOT / folder, checkout / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("setup.py", "requirements.txt"):
        shutil.copy(ROOT / file, checkout)
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    return checkout


@pytest.mark.timeout(300)
def test_the_tutorial_runs_as_it_is_written(checkout: Path, tmp_path: Path) -> None:
    blocks = dict(BLOCK.findall((ROOT / "README.md").read_text()))
    commands = blocks.pop("run")
    for name, text in blocks.items():
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EMULATOR_"))}
    environ = inherited | {"EMULATOR_PORT": "0", "PIPELINES_ROOT": str(checkout), "TMPDIR": str(tmp_path)}
    script = "set -e\n" + commands.replace("/tmp/rows.csv", f"{tmp_path}/rows.csv")
    try:
        done = subprocess.run(
            ["bash", "-c", script], cwd=checkout, env=environ, capture_output=True, text=True, check=False
        )
    finally:
        subprocess.run([Path(sys.prefix, "bin/emulator"), "stop"], cwd=checkout, env=environ, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert re.search(r"Summarise: Succeeded.*Check: Succeeded.*Succeeded in", printed, re.DOTALL), printed
    assert re.search(r"TooFew: Failed.*Only 4 rows", printed, re.DOTALL), printed
    assert "rows: {'rows.csv': 4}" in printed
