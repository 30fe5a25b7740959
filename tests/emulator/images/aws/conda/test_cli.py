"""``conda`` as the SDKs' remote functions and people's commands call it, with real environments."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest

from emulator.images import job_pip
from emulator.images.aws.conda import cli, environments

YAML = f"""
name: from-file
channels: [defaults]
dependencies:
  - python={sys.version_info.major}.{sys.version_info.minor}
  - openssl=3
  - pip:
      - ./tiny-1-py3-none-any.whl
variables:
  COLOUR: blue
prefix: /opt/conda/envs/x
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environments, "ROOT", tmp_path / "envs")
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ``conda run`` became, run as a child: what it printed."""
    printed: list[str] = []

    def become(program: str, command: list[str], variables: dict[str, str]) -> NoReturn:
        done = subprocess.run(command, executable=program, env=variables, capture_output=True, text=True, check=True)
        printed.extend(done.stdout.split())
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", become)
    return printed


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run", *arguments])


def test_an_environment_is_made_of_a_file_and_run_in(
    folder: Path, ran: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(folder / "tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "value = 1\n")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    (folder / "environment.yml").write_text(YAML)
    assert cli.main(["env", "create", "-n", "mine", "--file", "environment.yml"]) == 0
    assert "this machine's own instead of: openssl" in capfd.readouterr().out
    show = "import os, sys, tiny; print(sys.prefix, tiny.value, os.environ['COLOUR'], os.environ['CONDA_DEFAULT_ENV'])"
    run("-n", "mine", "python", "-c", show)
    assert ran == [str(folder / "envs" / "mine"), "1", "blue", "mine"]
    assert not list(folder.glob("condaenv*"))


def test_its_name_may_come_from_the_file(folder: Path) -> None:
    (folder / "environment.yml").write_text("name: from-file\ndependencies: []\n")
    assert cli.main(["env", "create"]) == 0
    assert environments.known() == [folder / "envs" / "from-file"]
    assert cli.main(["env", "remove", "-n", "from-file", "-y"]) == 0
    assert environments.known() == []


def test_base_is_the_image_s_own(ran: list[str]) -> None:
    run("-n", "base", "--no-capture-output", "python", "-c", "import sys; print(sys.prefix)")
    run("-n", "base", "python", "--version")
    assert ran == [sys.prefix, "Python", sys.version.split()[0]]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["run", "-n", "absent", "python"], "EnvironmentLocationNotFound: Not a conda environment: .*/absent"),
        (["env", "update", "-n", "absent", "-f", "e.yml"], "EnvironmentLocationNotFound"),
        (["env", "create", "-f", "absent.yml"], "EnvironmentFileNotFound: absent.yml"),
        (["env", "create", "-f", "bad.yml"], "EnvironmentFileNotValid: bad.yml"),
        (["run", "-n", "base", "surely-no-program"], "surely-no-program: command not found"),
        (["run", "-n", "base"], "run needs a command"),
        (["env", "remove", "-n", "base"], "cannot remove base"),
        (["search", "numpy"], "CommandNotFoundError: conda search is not understood.*env create"),
    ],
)
def test_errors_have_conda_s_names(
    folder: Path, arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "e.yml").write_text("dependencies: [six]\n")
    (folder / "bad.yml").write_text("just text")
    assert cli.main(arguments) == 1
    assert re.search(error, capsys.readouterr().err)


def test_what_pip_cannot_install_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["create", "-y", "-n", "new"]) == 0
    assert cli.main(["install", "-n", "new", "-c", "conda-forge", "surely-no-package=1"]) == 1
    said = capfd.readouterr()
    assert "packages come from PyPI: surely-no-package==1.*" in said.out
    assert "CondaEnvException: Pip failed: surely-no-package==1.*" in said.err
    assert cli.main(["create", "-n", "new"]) == 1


def test_the_version_and_what_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("conda ")
    assert cli.main(["config", "--add", "channels", "conda-forge"]) == 0
    assert cli.main(["clean", "--all", "-f", "-y"]) == 0


def test_pip_knows_where_environments_are() -> None:
    assert job_pip.CONDA_ENVIRONMENTS == "/opt/conda/envs/"
