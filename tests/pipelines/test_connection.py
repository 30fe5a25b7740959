from pathlib import Path

import pytest

from pipelines.connection import CREDENTIAL_VARIABLES, Connection
from pipelines.environments import load_target
from tests.pipelines.conftest import Cli

CONFIG = "[profile team-dev]\naws_access_key_id = ofdev\naws_secret_access_key = x\n"


@pytest.fixture
def root(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose environment dev has a profile, on a machine that has it, too."""
    config = tmp_path / "config"
    config.write_text(CONFIG)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    for name in (*CREDENTIAL_VARIABLES, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    path = project / "pipelines" / "environments.toml"
    path.write_text(path.read_text().replace("[dev]", '[dev]\nprofile = "team-dev"'))
    return project


def key(root: Path) -> str:
    """The access key that calls to dev are signed with."""
    client = Connection(load_target(root, "dev")).sagemaker
    return str(client._request_signer._credentials.access_key)


def test_the_profile_of_an_environment_has_its_credentials(root: Path) -> None:
    assert key(root) == "ofdev"


def test_variables_of_the_process_go_before_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "given")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert key(root) == "given"


def test_a_profile_that_is_not_there_is_told(cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    result = cli(root, "executions", "tiny", "--env", "dev")
    assert result.exit_code == 5
    assert "The config profile (team-dev) could not be found" in result.output
    assert "set AWS_PROFILE" in result.output
