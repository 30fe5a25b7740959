from pathlib import Path

import pytest

from pipelines.environment import Environment
from pipelines.environments import load_target
from pipelines.errors import ContainerNotFound, SessionMissing
from pipelines.fingerprint import hash_folder


@pytest.fixture
def environment(project: Path) -> Environment:
    return load_target(project, "local").environment


def test_image_is_tagged_with_the_content_of_its_folder(environment: Environment, project: Path) -> None:
    tag = hash_folder(project / "containers" / "small")[:12]
    assert environment.image("small") == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/small:{tag}"
    (project / "containers" / "small" / "requirements.txt").write_text("pandas==3.0.0\n")
    assert not environment.image("small").endswith(tag)


def test_unknown_image_names_the_nearest(environment: Environment) -> None:
    with pytest.raises(ContainerNotFound, match=r"containers/smal/Dockerfile is missing.*Did you mean 'small'"):
        environment.image("smal")


def test_there_is_no_session_outside_a_build(environment: Environment) -> None:
    with pytest.raises(SessionMissing, match="pipelines build"):
        _ = environment.session
