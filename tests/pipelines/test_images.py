"""``pipelines images``: with a small engine everywhere, and with podman where that is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.environments import load_target
from tests.pipelines.conftest import Cli

SMALL_ENGINE = Path(__file__).with_name("small_engine.py")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def engine(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small engine as podman; its store."""
    program(path / "podman", f'exec {sys.executable} -S {SMALL_ENGINE} "$@"')
    store = tmp_path / "store"
    store.mkdir()
    monkeypatch.setenv("SMALL_ENGINE_STORE", str(store))
    return store


def tag_of(project: Path) -> str:
    return load_target(project, "local").environment.image("small").rpartition(":")[2]


def test_an_image_is_built_and_pushed_under_the_tag_that_the_definition_has(
    cli: Cli, project: Path, ecr: Any, engine: Path
) -> None:
    listed = json.loads(cli(project, "images", "list", "--json").output)
    tag = tag_of(project)
    uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/small:{tag}"
    assert listed == [{"image": "small", "tag": tag, "uri": uri}]
    assert cli(project, "images", "build").output == f"built small:{tag}\n"
    assert cli(project, "images", "build", "small").output == f"unchanged small:{tag}\n"
    assert cli(project, "images", "push").output == f"created repository small\npushed small:{tag}\n"
    (image,) = ecr.describe_images(repositoryName="small")["imageDetails"]
    assert image["imageTags"] == [tag]
    (repository,) = ecr.describe_repositories()["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    again = cli(project, "images", "push", "--json")
    assert [each["action"] for each in json.loads(again.output)] == ["unchanged"]
    shutil.rmtree(engine)  # another machine, without images and without an engine
    (engine.parent / "bin" / "podman").unlink()
    assert cli(project, "images", "build", "--missing").output == f"pushed small:{tag}\n"
    assert cli(project, "images", "build").exit_code == 3


def test_another_content_is_another_image(cli: Cli, project: Path, ecr: Any, engine: Path) -> None:
    before = tag_of(project)
    cli(project, "images", "build")
    (project / "containers" / "small" / "requirements.txt").write_text("numpy==2.0\n")
    after = tag_of(project)
    assert before != after
    result = cli(project, "images", "push")
    assert result.exit_code == 2
    assert f"Image small:{after} is not built here. Next: pipelines images build small" in result.output
    assert cli(project, "images", "build").output == f"built small:{after}\n"
    assert cli(project, "images", "push").exit_code == 0


def test_without_an_engine_each_says_what_it_lacks(cli: Cli, project: Path, path: Path) -> None:
    program(path / "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    result = cli(project, "images", "build")
    assert result.exit_code == 3
    assert result.output == (
        "Error: No container engine answers:\n  podman: it is not installed\n"
        "  docker: Cannot connect to the Docker daemon\nInstall podman (https://podman.io), or start docker.\n"
    )


def test_a_dockerfile_that_fails_is_named(cli: Cli, project: Path, engine: Path) -> None:
    (project / "containers" / "small" / "Dockerfile").write_text("FROM scratch\nRUN fail\n")
    result = cli(project, "images", "build", "--engine", "podman")
    assert result.exit_code == 2
    assert "podman could not build containers/small/Dockerfile" in result.output


def test_an_unknown_image_is_named(cli: Cli, project: Path, engine: Path) -> None:
    result = cli(project, "images", "build", "smal")
    assert (result.exit_code, "Did you mean 'small'?" in result.output) == (2, True)


@pytest.mark.skipif(shutil.which("podman") is None, reason="podman is not installed (Debian: apt-get install podman)")
def test_podman_builds_and_pushes(
    cli: Cli, project: Path, ecr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tmp_path / "storage.conf"
    folders = f'graphroot = "{tmp_path / "graph"}"\nrunroot = "{tmp_path / "run"}"\n'
    storage.write_text(f'[storage]\ndriver = "vfs"\n{folders}')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    if subprocess.run(["podman", "info"], capture_output=True, check=False).returncode:
        pytest.skip("podman does not answer here")
    (project / "containers" / "small" / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /Dockerfile\n")
    tag = tag_of(project)
    assert cli(project, "images", "build", "--engine", "podman").output == f"built small:{tag}\n"
    assert cli(project, "images", "build").output == f"unchanged small:{tag}\n"
    pushed = cli(project, "images", "push")
    assert pushed.output == f"created repository small\npushed small:{tag}\n"
    (image,) = ecr.describe_images(repositoryName="small")["imageDetails"]
    assert image["imageTags"] == [tag]
    assert image["imageManifestMediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
