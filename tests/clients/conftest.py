"""Clients of AWS in environments of their own, driven unchanged at an emulator, with their sockets watched.

The environment of an SDK is the one of the image that its functions run in, so each is built once. They are kept in
the emulator's cache, by the hash of their requirements.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.images.aws import catalog
from emulator.images.virtualenv import Install, Virtualenv
from emulator.settings import Settings
from tests.integration.emulators import Emulator

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
CONTAINERS = HERE / "containers"
REQUIREMENTS = {
    "sdk-v2": catalog.FOLDER / "requirements-base-python.txt",
    "sdk-v2-2023": HERE / "requirements" / "sdk-v2-2023.txt",
    "sdk-v3": CONTAINERS / "sdk-v3" / "requirements.txt",
    "aws-tools": HERE / "requirements" / "aws-tools.txt",
}
SECONDS = 600

Run = Callable[..., str]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), containers_dir=CONTAINERS).start()
    yield emulator
    emulator.stop()


def bin_of(client: str) -> Path:
    """The programs of a client's environment, built if it is not in the cache."""
    environment = Virtualenv(Settings.load().cache_dir, [Install([REQUIREMENTS[client]])])
    environment.ensure(lambda line: print(f"{client}: {line}"))
    return environment.python.parent


@pytest.fixture
def run(emulator: Emulator, tmp_path: Path) -> Iterator[Run]:
    """Run a command as ``emulator exec`` does; its output. At the end, nothing may have left the machine."""
    log = tmp_path / "left-the-machine"

    def run(*command: object) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EMULATOR_"))}
        exports = emulator.exports
        search = os.pathsep.join([str(HERE / "guard"), exports["PYTHONPATH"]])
        variables = {**exports, "PYTHONPATH": search, "NETWORK_GUARD_LOG": str(log), "HOME": str(tmp_path)}
        environ = {name: value for name, value in (kept | variables).items() if value is not None}
        done = subprocess.run(
            [str(word) for word in command], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, done.stderr[-6000:]
        return done.stdout

    yield run
    assert not log.exists(), f"a client tried to leave the machine:\n{log.read_text()}"


@pytest.fixture
def answer(run: Run, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a program of ``programs`` in a client's environment; the JSON object on its last line."""

    programs = shutil.copytree(PROGRAMS, tmp_path / "programs")  # SDK v2 writes into a model's source folder

    def answer(client: str, program: str, *arguments: str) -> dict[str, Any]:
        output = run(bin_of(client) / "python", programs / program, *arguments)
        document: dict[str, Any] = json.loads(output.splitlines()[-1])
        return document

    return answer
