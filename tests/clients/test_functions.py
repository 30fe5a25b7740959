"""Remote functions by both SDKs, unchanged, with the options of their decorators."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.images import interpreters
from emulator.images.aws import catalog
from emulator.images.virtualenv import Install, Virtualenv
from emulator.settings import Settings
from tests.clients.conftest import PROGRAMS, Run
from tests.clients.test_clients import BASE_PYTHON, TEAMS_OWN, Answer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
both = pytest.mark.parametrize(("client", "image"), [("sdk-v2", BASE_PYTHON), ("sdk-v3", TEAMS_OWN)])


@pytest.fixture
def seen(answer: Answer, client: str, image: str, request: pytest.FixtureRequest) -> Any:
    """What the part of the program says that the test is named after."""
    name = request.node.originalname.split("_")[1]
    return answer(client, "function_options.py", image, name)[name]


@both
def test_conda_environments_are_made_of_a_file(seen: Any) -> None:
    assert seen["made"] == ["/opt/conda/envs/sagemaker-runtime-env", "1.17.0"]
    assert "RuntimeEnvironmentError" in seen["absent"]
    assert "Not a conda environment: /opt/conda/envs/absent" in seen["absent"]


@both
def test_workdir_goes_along_as_filtered(seen: Any) -> None:
    area, files = seen["with"]
    assert area == 9
    assert "local" in files
    assert "notes.txt" not in files
    assert "ModuleNotFoundError(\"No module named 'local'\")" in seen["without"]


@both
def test_commands_run_before(seen: Any) -> None:
    assert seen["after"] == "one\n"
    assert "RuntimeEnvironmentError" in seen["never"]
    assert "surely-no-program: command not found" in seen["never"]


@both
def test_settings_reach_the_job(seen: Any) -> None:
    team = {"Key": "team", "Value": "data"}
    assert seen == {"said": "blue", "attempts": 3, "spot": True, "volume": 11, "root": True, "tags": [team]}


@both
def test_defaults_come_from_a_file(seen: Any) -> None:
    assert seen == ["green", "two\n"]


@both
def test_errors_cross_with_their_cause_and_traceback(seen: Any) -> None:
    assert seen["crossed"] == ["OddError", ["a", {"b": 1}], {"b": 1}, "KeyError('cause')", True]
    assert "SerializationError: Error when serializing object of type [lock]" in seen["result"]
    assert "TypeError" in seen["argument"]


@both
def test_executor_runs_and_cancels(seen: Any) -> None:
    assert seen == {"results": [0, 1, 4], "again": 4, "cancelled": [True, True, True]}


@both
def test_checkpoint_is_there_for_the_next(seen: Any) -> None:
    assert seen == ["x", "xx"]


@pytest.mark.skipif(interpreters.find("3.10") is None, reason="the SDKs' default image is for clients with Python 3.10")
def test_a_client_with_python_3_10_needs_no_image(run: Run) -> None:
    """The first example of AWS's documentation: neither image nor dependencies."""
    requirements = Install([catalog.FOLDER / "requirements-base-python-310.txt"])
    environment = Virtualenv(Settings.load().cache_dir, [requirements], interpreters.find("3.10"))
    environment.ensure(print)
    output = run(environment.python, PROGRAMS / "default_image_v2.py")
    assert output.splitlines()[-1] == "[3, 10] 1.5 /opt/conda/envs/sagemaker-runtime-env"
