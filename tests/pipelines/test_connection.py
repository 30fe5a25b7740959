import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.connection import CREDENTIAL_VARIABLES, NO_INSTANCE, Connection
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


def test_botocore_comes_without_the_library_that_is_not_used_and_leaves_it_to_others(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pipelines.connection import Connection; from pipelines.environments import load_target\n"
        f"Connection(load_target(Path({str(root)!r}), 'dev')).sagemaker\n"
        "from botocore.compat import HAS_CRT\n"
        "print(HAS_CRT, 'awscrt' in sys.modules)\n"
        "import awscrt.checksums\n"
        "print(awscrt.checksums.crc32(b'a') > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_the_credentials_of_an_instance_are_looked_for_on_aws_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NO_INSTANCE, "")  # so that it is put back in the end
    monkeypatch.delenv(NO_INSTANCE)
    assert Connection(load_target(root, "dev")).sagemaker
    assert NO_INSTANCE not in os.environ
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Connection(load_target(root, "dev")).sagemaker
    assert os.environ[NO_INSTANCE] == "true"
