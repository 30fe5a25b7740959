"""A small checkout, its build, and an AWS API to talk to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from pipelines.build import BuiltPipeline, build_pipeline
from pipelines.catalog import find_pipeline
from pipelines.cli import main
from pipelines.connection import Connection
from pipelines.environments import load_target

PROJECT = Path(__file__).parent / "project"

Cli = Callable[..., Result]


def copy_project(target: Path) -> Path:
    """A checkout of its own, without by-products."""
    shutil.copytree(PROJECT, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "checkout")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltPipeline:
    """The pipeline ``tiny``, built once: that imports the SDK, which takes seconds."""
    folder = tmp_path_factory.mktemp("built")
    root = copy_project(folder / "checkout")
    environment = load_target(root, "local").environment
    return build_pipeline(find_pipeline(root, "tiny"), environment, root / "build", lambda line: None)


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """URL of a server with the AWS API, by moto."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws_variables(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty account at the server, named by the environment's variables."""
    import urllib.request

    request = urllib.request.Request(f"{aws}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request) as answer:
        answer.read()
    for name, value in (
        ("AWS_ENDPOINT_URL", aws),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture
def connection(project: Path, aws_variables: None) -> Connection:
    return Connection(load_target(project, "local"))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run ``pipelines`` on a checkout: ``cli(root, "build", "tiny")``."""

    def run(root: Path, *arguments: str) -> Result:
        monkeypatch.setenv("PIPELINES_ROOT", str(root))
        return CliRunner().invoke(main, arguments)

    return run


@pytest.fixture
def ecr(sagemaker_variables: None) -> Iterator[Any]:
    """A client of ECR, which is empty again afterwards."""
    client = boto3.client("ecr", region_name="us-east-1")
    yield client
    for repository in client.describe_repositories()["repositories"]:
        client.delete_repository(repositoryName=repository["repositoryName"], force=True)
