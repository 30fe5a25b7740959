"""A new pipeline runs, and the tests that come with it pass, with the pytest plugin as users have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.scaffold import scaffold, write_scaffold
from tests.pipelines.conftest import Cli

ROOT = Path(__file__).parents[2]


def test_its_files_have_the_name_in_both_forms() -> None:
    files = scaffold("late-trains")
    assert 'name="late-trains"' in files["pipelines/late_trains/pipeline.py"]
    assert "from steps.late_trains.step import" in files["pipelines/late_trains/pipeline.py"]
    assert all("$" not in text for text in files.values())


def test_it_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "steps/trains").mkdir(parents=True)
    (tmp_path / "steps/trains/step.py").write_text("mine")
    with pytest.raises(UsageError, match=r"steps/trains/step.py is there already"):
        write_scaffold(tmp_path, "trains")
    assert not (tmp_path / "pipelines").exists()


@pytest.mark.parametrize("name", ["Trains", "1trains", "late trains", "-x", "late_trains"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="small letters"):
        write_scaffold(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_a_new_pipeline_is_valid_runs_and_passes_its_tests(tmp_path: Path, cli: Cli) -> None:
    root = tmp_path / "checkout"
    for folder in ("pipelines", "steps", "containers"):
        shutil.copytree(
            ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "flights*", ".mypy_cache")
        )
    result = cli(root, "new", "late-trains")
    assert result.exit_code == 0, result.output
    assert "Next: pipelines run late-trains" in result.output
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EMULATOR_", "PYTEST"))
    }
    environ = inherited | {"PIPELINES_ROOT": str(root), "PYTHONPATH": str(root)}
    (root / "tests/__init__.py").touch()
    (root / "tests/pipelines/__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "tests"],
        cwd=root, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    result = cli(root, "validate", "late-trains", "--strict")
    assert result.exit_code == 0, result.output
