"""What CI does: the buildspec's commands are run as they stand, phase by phase, and the workflow has the same ones."""

from __future__ import annotations

import json
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
WITHOUT_SDK = """
class Pipeline:
    name = "tiny"

    def definition(self):
        step = '{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}'
        return '{"Version": "2020-12-01", "Parameters": [], "Steps": [%s]}' % step


def build(environment):
    return Pipeline()
"""
SMALL_ENGINE = ROOT / "tests" / "pipelines" / "small_engine.py"


def buildspec() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "codebuild-buildspec.yml").read_text())
    return document


def commands(phase: str) -> list[str]:
    found: list[str] = buildspec()["phases"][phase]["commands"]
    return found


class Build:
    """A checkout in which commands run as CodeBuild runs them: one shell each, with the buildspec's variables."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.environ = os.environ | buildspec()["env"]["variables"] | variables

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )

    def succeed(self, command: str) -> str:
        done = self.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def clone(tmp_path: Path) -> Path:
    """A clean clone of the last commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone of git's, so none can be made of it")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


def engine(tmp_path: Path) -> dict[str, str]:
    """Variables by which the small engine is podman: not every machine has one, nor the base images."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "podman").write_text(f'#!/bin/sh\nexec {sys.executable} -S {SMALL_ENGINE} "$@"\n')
    (folder / "podman").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "SMALL_ENGINE_STORE": str(tmp_path)}


@pytest.mark.timeout(300)
def test_the_build_phase_in_a_clean_clone(sagemaker_variables: None, tmp_path: Path) -> None:
    folder = clone(tmp_path)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    build = Build(folder, PYTHONPATH=str(folder), PIPELINES_ROOT=str(folder), **engine(tmp_path))
    for command in commands("build"):
        build.succeed(command)
    names = [each["name"] for each in json.loads(build.succeed(".venv/bin/pipelines list --json"))]
    plan = (folder / "plan/plan.md").read_text()
    for name in names:
        assert f"### Pipeline `{name}` in `dev`: to be created" in plan
        executions = build.succeed(f".venv/bin/pipelines executions {name} --env dev")
        assert executions == f"Pipeline {name} has no execution yet\n"  # nothing was started
    pushed = json.loads(build.succeed(".venv/bin/pipelines images push --env dev --json"))
    assert {each["action"] for each in pushed} == {"unchanged"}
    assert {each["image"] for each in pushed} == {path.parent.name for path in folder.glob("containers/*/Dockerfile")}

    again = [build.run(command) for command in commands("build")]
    assert [done.returncode for done in again] == [0] * len(again)
    assert not any("building" in done.stderr for done in again)  # what is built stays: the SDK is not imported again
    assert again[-1].stdout.count("unchanged arn:") == len(names)


@pytest.mark.clients
@pytest.mark.timeout(3600)
def test_every_phase_in_a_clean_clone(sagemaker_variables: None, tmp_path: Path) -> None:
    """All of it, with an environment that is installed from the lock: a quarter of an hour."""
    build = Build(clone(tmp_path), **engine(tmp_path))
    for name in [name for name in build.environ if name.startswith("AWS_")]:
        build.environ.pop(name)
    for phase in ("install", "pre_build"):
        for command in commands(phase):
            build.succeed(command)
    build.environ |= {name: text for name, text in os.environ.items() if name.startswith("AWS_")}
    for command in commands("build"):
        build.succeed(command)
    assert build.succeed(".venv/bin/pipelines upsert --all --env dev").count("unchanged arn:") > 1


@pytest.fixture
def small(sagemaker_variables: None, tmp_path: Path) -> Build:
    """A small checkout, as `make venv` leaves it."""
    folder = tmp_path / "small"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return Build(folder, PIPELINES_ROOT=str(folder), **engine(tmp_path))


def test_a_fault_ends_the_build_before_anything_is_written(small: Build) -> None:
    (small.folder / "pipelines/tiny/pipeline.py").write_text('raise ValueError("no")\n')
    validate, *_, plan, upsert = commands("build")
    for command, code in ((validate, 2), (upsert, 2), (plan, 1)):
        assert small.run(command).returncode == code
    assert small.run(".venv/bin/pipelines history tiny --env dev").returncode == 2


def test_the_phases_before_it_install_from_the_lock_check_and_test() -> None:
    assert commands("install") == ["make venv"]
    assert commands("pre_build") == ["make check", "make test"]
    assert "requirements-dev.txt" in (ROOT / "Makefile").read_text()


def test_nothing_is_started_and_the_plan_is_kept() -> None:
    text = "\n".join(command for phase in buildspec()["phases"] for command in commands(phase))
    assert not {"start", "run", "seed"} & set(text.split())
    assert "plan/**/*" in buildspec()["artifacts"]["files"]


def workflow() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/pipelines.yml").read_text())
    return document


def lines_of(steps: list[dict[str, Any]]) -> set[str]:
    return {line.strip() for step in steps for line in step.get("run", "").splitlines()}


def test_the_workflow_does_the_same_with_a_role_of_its_own() -> None:
    document = workflow()
    assert document["permissions"] == {"contents": "read", "id-token": "write"}
    steps = [step for job in ("check", "deploy") for step in document["jobs"][job]["steps"]]
    wanted = {
        line.strip() for phase in buildspec()["phases"] for command in commands(phase) for line in command.splitlines()
    }
    assert wanted - lines_of(steps) == {"cat plan/plan.md"}  # it goes to the summary of the job instead
    for job in ("deploy", "clean"):
        (login,) = (step for step in document["jobs"][job]["steps"] if "configure-aws" in step.get("uses", ""))
        assert login["with"]["role-to-assume"] == "${{ vars.AWS_ROLE }}"
        assert "aws-access-key-id" not in login["with"]
    written = [step for step in steps if "push --env" in step.get("run", "") or "upsert" in step.get("run", "")]
    assert [step["if"] for step in written] == ["github.event_name == 'push'"] * 2


def test_the_workflow_deletes_a_branchs_pipelines_with_the_branch(small: Build) -> None:
    (small.folder / "pipelines/tiny/pipeline.py").write_text(WITHOUT_SDK)
    clean = workflow()["jobs"]["clean"]
    assert "github.event_name == 'delete'" in clean["if"]
    (command,) = (step["run"] for step in clean["steps"] if "pipelines delete" in step.get("run", ""))
    upsert = commands("build")[-1]
    small.environ["BRANCH"] = "feature/new_model"
    assert "pipeline/tiny-feature-new-model" in small.succeed(f'{upsert} --suffix "$BRANCH"')
    small.succeed(upsert)
    assert small.succeed(command).startswith("deleted arn:")
    assert small.run(".venv/bin/pipelines history tiny --env dev").returncode == 0
    assert small.succeed(command) == ""
