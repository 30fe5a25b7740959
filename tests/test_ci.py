"""What CI does: the commands of the buildspec are run as they stand, and the workflow has the same ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "tests" / "pipelines" / "project"


def buildspec() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "codebuild-buildspec.yml").read_text())
    return document


def commands(phase: str) -> list[str]:
    found: list[str] = buildspec()["phases"][phase]["commands"]
    return found


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clean checkout with a small pipeline, as `make venv` leaves it."""
    shutil.copytree(PROJECT, tmp_path / "clone", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "clone/.venv").symlink_to(Path(sys.prefix))
    return tmp_path / "clone"


def run(command: str, clone: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | buildspec()["env"]["variables"] | {"PIPELINES_ROOT": str(clone)}
    return subprocess.run(["bash", "-c", command], cwd=clone, env=environ, capture_output=True, text=True, check=False)


def test_the_build_phase_validates_plans_and_upserts(sagemaker_variables: None, clone: Path) -> None:
    validate, plan, upsert = commands("build")
    done = run(validate, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny: 0 errors" in done.stdout
    done = run(plan, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "### Pipeline `tiny` in `dev`: to be created" in (clone / "plan/tiny.md").read_text()
    done = run(upsert, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "created arn:aws:sagemaker:eu-central-1:" in done.stdout
    again = run(plan, clone), run(upsert, clone)
    assert [done.returncode for done in again] == [0, 0]
    assert "`dev`: unchanged" in (clone / "plan/tiny.md").read_text()
    assert "unchanged arn:" in again[1].stdout
    executions = run(".venv/bin/pipelines executions tiny --env dev", clone)
    assert executions.stdout == "Pipeline tiny has no execution yet\n"


def test_a_fault_ends_the_build_before_anything_is_written(sagemaker_variables: None, clone: Path) -> None:
    path = clone / "pipelines/tiny/pipeline.py"
    path.write_text('raise ValueError("no")\n')
    assert run(commands("build")[0], clone).returncode == 2
    assert run(commands("build")[2], clone).returncode == 2


def test_the_phases_before_it_install_from_the_lock_check_and_test() -> None:
    assert commands("install") == ["make venv"]
    assert commands("pre_build") == ["make check", "make test"]
    assert "requirements-dev.txt" in (ROOT / "Makefile").read_text()


def test_nothing_is_started_and_the_plan_is_kept() -> None:
    text = "\n".join(command for phase in buildspec()["phases"] for command in commands(phase))
    assert not {"start", "run", "seed"} & set(text.split())
    assert "plan/**/*" in buildspec()["artifacts"]["files"]


def test_the_workflow_does_the_same_with_a_role_of_its_own() -> None:
    document = yaml.safe_load((ROOT / ".github/workflows/pipelines.yml").read_text())
    assert document["permissions"] == {"contents": "read", "id-token": "write"}
    steps = [step for job in document["jobs"].values() for step in job["steps"]]
    lines = {line.strip() for step in steps for line in step.get("run", "").splitlines()}
    wanted = {
        line.strip() for phase in buildspec()["phases"] for command in commands(phase) for line in command.splitlines()
    }
    assert wanted - lines == {'cat "plan/$pipeline.md"'}  # it goes to the summary of the job instead
    (login,) = (step for step in steps if "configure-aws-credentials" in step.get("uses", ""))
    assert login["with"]["role-to-assume"] == "${{ vars.AWS_ROLE }}"
    assert "aws-access-key-id" not in login["with"]
