"""Which Python an image gets: the one that its definition asks for, where this machine has it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.images import Images, interpreters
from emulator.images.aws import catalog
from emulator.images.dockerfile import read_dockerfile
from emulator.images.interpreters import Interpreter
from emulator.images.virtualenv import Virtualenv
from emulator.jobs.plan import Command

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
BASE_PYTHON = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
OTHER = Interpreter(Path("/other/bin/python3.10"), Path("/other"), "3.10.13 (main)")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    interpreters.find.cache_clear()
    yield
    interpreters.find.cache_clear()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one that is found for every version."""
    path = tmp_path / "python"
    monkeypatch.setattr(shutil, "which", lambda name: str(path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return path


def says(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def test_the_emulator_s_own_is_found_without_a_look(program: Path) -> None:
    assert interpreters.find(OWN) == interpreters.own()
    assert interpreters.chosen("") == interpreters.own()


def test_what_a_program_says_of_itself_counts(program: Path) -> None:
    says(program, """echo '["/other/bin/python3.10", "/other", "3.10.13 (main)"]'""")
    assert interpreters.find("3.10") == OTHER
    assert OTHER.short == "3.10"


@pytest.mark.parametrize("text", ["exit 127", "echo no json", """echo '["/x", "/x", "3.9.1"]'""", "echo '[1]'"])
def test_a_program_that_cannot_make_environments_is_none(program: Path, text: str) -> None:
    says(program, text)
    assert interpreters.find("3.10") is None
    assert interpreters.chosen("3.10") == interpreters.own()


@pytest.mark.parametrize("version", ["3.9", "2.7", "", "3", "3.10; rm"])
def test_what_a_sandbox_cannot_run_is_not_looked_for(program: Path, version: str) -> None:
    says(program, """echo '["/other/bin/python3.10", "/other", "3.9.1"]'""")
    assert interpreters.find(version) is None


def test_pyenv_s_are_found_though_on_no_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    kept = program.parent / ".pyenv" / "versions" / "3.10.13" / "bin" / "python3.10"
    kept.parent.mkdir(parents=True)
    says(kept, """echo '["/other/bin/python3.10", "/other", "3.10.13 (main)"]'""")
    assert interpreters.find("3.10") == OTHER


def test_environments_of_two_interpreters_are_two(tmp_path: Path) -> None:
    assert Virtualenv(tmp_path, []).folder == Virtualenv(tmp_path, [], interpreters.own()).folder
    assert Virtualenv(tmp_path, []).folder != Virtualenv(tmp_path, [], OTHER).folder


@pytest.mark.parametrize(
    ("python", "there", "name"),
    [
        ("3.10", True, "base-python-310"),
        ("3.10", False, "base-python"),
        (OWN, True, "base-python"),
        ("", True, "base-python"),
        ("3.8", True, "base-python"),
    ],
)
def test_a_function_of_a_client_with_3_10_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str, there: bool, name: str
) -> None:
    monkeypatch.setattr(interpreters, "find", lambda version: OTHER if there else None)
    assert Images(tmp_path, tmp_path).resolve(BASE_PYTHON, python).name == name


@pytest.mark.parametrize("definition", catalog.DEFINITIONS.values(), ids=lambda each: each.name)
def test_definitions_say_which_python_they_ask_for(definition: catalog.Definition) -> None:
    assert f"FROM python:{definition.python}-slim" in definition.dockerfile.read_text()


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        ("FROM python:3.12-slim", "3.12"),
        ("FROM public.ecr.aws/docker/library/python:3.10.13-bookworm", "3.10"),
        ("ARG V=3.11\nFROM python:$V", "3.11"),
        ("FROM python", ""),
        ("FROM debian:12", ""),
        (f"FROM {BASE_PYTHON}", "3.11"),
    ],
)
def test_a_dockerfile_asks_by_its_base(tmp_path: Path, lines: str, version: str) -> None:
    (tmp_path / "Dockerfile").write_text(f"{lines}\n")
    base = read_dockerfile(catalog.BASE_PYTHON.dockerfile, "/bin")
    known = {BASE_PYTHON: base}
    assert read_dockerfile(tmp_path / "Dockerfile", "/bin", known.get).python == version


def test_the_log_says_which_python_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Dockerfile").write_text("FROM python:3.8\n")
    monkeypatch.setattr(Virtualenv, "ensure", lambda self, progress: None)
    monkeypatch.setattr(Virtualenv, "modules", lambda self: [])
    said: list[str] = []
    images = Images(tmp_path, tmp_path / "cache")
    assert images.environment(images.resolve("1.dkr/mine:1"), said.append).roots[1] == Path(sys.base_prefix)
    assert said == [
        f"image mine: asks for Python 3.8, which this machine has not, or which is too old: running Python {OWN};"
        " install python3.8 to have it"
    ]


@pytest.mark.parametrize(
    ("arguments", "version"),
    [
        (["--region", "us-east-1", "--client_python_version", "3.10", "--x"], "3.10"),
        (["--client_python_version"], ""),
        (["train"], ""),
        (None, ""),
    ],
)
def test_a_function_says_which_python_made_it(arguments: list[str] | None, version: str) -> None:
    assert Command(None, arguments).python == version
