"""The package's description, its locks and its recipes agree with each other and are fit for other machines."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
OWN = {"emulator", "pipelines", "steps", "studio", "tests", "benchmarks"}
ELSEWHERE = (
    "emulator/images/aws/toolkit",
    "emulator/images/aws/main.py",
    "emulator/images/aws/conda",
    "emulator/images/aws/conda_main.py",
    "tests/clients/programs",
)
"""Programs that run in environments with requirements of their own."""
LOCKS = ("requirements.txt", "requirements-dev.txt")


def described() -> dict[str, list[Requirement]]:
    """setup.py's requirements: under "" those of the package itself, else by extra; read without running it."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id="EXTRAS")], value=value):
                found |= ast.literal_eval(value)
            case ast.keyword(arg="install_requires", value=value):
                found[""] = ast.literal_eval(value)
    return {extra: [Requirement(text) for text in texts] for extra, texts in found.items()}


def locked(name: str) -> dict[str, Version]:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    pins = [re.fullmatch(r"([A-Za-z0-9._-]+)==([^ ;]+)( ;.*)?", line) for line in lines]
    assert all(pins), [line for line, pin in zip(lines, pins, strict=True) if not pin]
    return {canonicalize_name(pin[1]): Version(pin[2]) for pin in pins if pin}


def test_every_requirement_has_a_lower_bound() -> None:
    requirements = [requirement for group in described().values() for requirement in group]
    without = [str(each) for each in requirements if not any(part.operator == ">=" for part in each.specifier)]
    assert len(requirements) > 10
    assert without == []


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.txt", {"", "emulator", "studio", "build", "data"}),
        ("requirements-dev.txt", {"", "emulator", "studio", "parquet", "build", "data", "test", "check", "bench"}),
    ],
)
def test_a_lock_satisfies_the_description(lock: str, extras: set[str]) -> None:
    pins = locked(lock)
    wanted = [requirement for extra in extras for requirement in described()[extra]]
    unmet = [str(each) for each in wanted if pins.get(canonicalize_name(each.name)) not in _Satisfying(each)]
    assert unmet == []


class _Satisfying:
    def __init__(self, requirement: Requirement) -> None:
        self.requirement = requirement

    def __contains__(self, version: Version | None) -> bool:
        return version is not None and version in self.requirement.specifier


@pytest.mark.parametrize(
    ("part", "extras"),
    [
        ("emulator", {"", "emulator"}),
        ("pipelines", {"", "build", "data", "test"}),  # testing.py is a plugin of pytest
        ("studio", {"", "studio", "parquet"}),
        ("steps", {"build", "test"}),  # what runs in a container has its own requirements; tests import it here
        ("tests", {"", "emulator", "build", "data", "test"}),
        ("benchmarks", {"", "emulator", "bench"}),
    ],
)
def test_what_is_imported_is_required(part: str, extras: set[str]) -> None:
    required = {canonicalize_name(requirement.name) for extra in extras for requirement in described()[extra]}
    owners = packages_distributions()
    missing = {
        module
        for module in imported(ROOT / part) - sys.stdlib_module_names - OWN
        # sagemaker itself is a meta package: its modules belong to sagemaker-core, sagemaker-train, …
        if not {canonicalize_name(owner) for owner in (module, *owners.get(module, []))} & required
    }
    assert missing == set()


def imported(folder: Path) -> set[str]:
    """Top-level names that the folder's modules import, wherever in them; images' own programs are not ours."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if (
            any(path.is_relative_to(ROOT / place) for place in ELSEWHERE)
            or "containers" in path.relative_to(ROOT).parts
        ):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    found |= {name.name.split(".")[0] for name in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.split(".")[0])
    return found


def test_the_locks_agree() -> None:
    runtime, development = locked(LOCKS[0]), locked(LOCKS[1])
    assert {name: pin for name, pin in runtime.items() if development.get(name) != pin} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_machine(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"https?://|file:/|--\S+|/\w+/", text) == []


@pytest.mark.parametrize("command", ["pipelines", "emulator"])
def test_the_commands_are_installed_and_load(command: str) -> None:
    (script,) = entry_points(group="console_scripts", name=command)
    assert callable(script.load())


def test_the_package_is_described_by_setup_py_alone() -> None:
    assert "project" not in tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_of_the_repo_is_packaged() -> None:
    from setuptools import find_packages

    include = ["emulator*", "pipelines*", "steps*", "studio*"]
    packaged = set(find_packages(str(ROOT), include=include))
    modules = [path for name in include for path in ROOT.glob(f"{name.rstrip('*')}/**/*.py")]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in modules}
    assert folders - packaged - {"emulator.client_plugins"} == set(), "a folder with modules lacks its __init__.py"
