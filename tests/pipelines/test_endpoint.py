import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.endpoint import EndpointLookup, find_program, running_endpoint
from pipelines.environments import Endpoint, Target, load_target
from pipelines.errors import EndpointError


def script(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


@pytest.fixture
def target(project: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return load_target(project, "local")


def with_commands(target: Target, find: str, start: str = "", stop: str = "") -> Target:
    commands = [script(text) if text else () for text in (find, start, stop)]
    return replace(target, endpoint=Endpoint(*commands))


PRINTING = 'print(\'{"AWS_ENDPOINT_URL": "http://127.0.0.1:4570", "AWS_PROFILE": null}\')'
FOUND = "import pathlib, sys; sys.exit(0 if pathlib.Path('running').exists() else 3)"
START = "import pathlib; pathlib.Path('running').touch()"
STOP = "import pathlib; pathlib.Path('running').rename('stopped')"


def test_the_command_says_where_the_endpoint_is(target: Target) -> None:
    lookup = EndpointLookup(with_commands(target, PRINTING))
    assert lookup.variables == {"AWS_ENDPOINT_URL": "http://127.0.0.1:4570"}


def test_a_variable_goes_before_the_command(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    lookup = EndpointLookup(with_commands(target, "1 / 0"))
    assert lookup.is_running
    assert lookup.variables == {}


def test_nothing_running_names_the_command_that_starts_it(target: Target) -> None:
    lookup = EndpointLookup(with_commands(target, "import sys; sys.exit('x') if 0 else sys.exit(3)", "start"))
    with pytest.raises(EndpointError, match=r"environment local: nothing is running Start it: .*start") as caught:
        _ = lookup.variables
    assert caught.value.exit_code == 3


def test_a_command_that_fails_or_babbles_is_quoted(target: Target) -> None:
    with pytest.raises(EndpointError, match="failed: no such folder"):
        _ = EndpointLookup(with_commands(target, "import sys; sys.exit('no such folder')")).variables
    with pytest.raises(EndpointError, match="printed no JSON object of variables: 'hello'"):
        _ = EndpointLookup(with_commands(target, "print('hello')")).variables


def test_a_command_that_is_not_there_says_how_to_get_it(target: Target) -> None:
    with pytest.raises(EndpointError, match=r"command 'no-such-program' is not there.*make venv"):
        EndpointLookup(replace(target, endpoint=Endpoint(("no-such-program",))))


def test_programs_beside_the_interpreter_are_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_program("pytest") == str(Path(sys.executable).parent / "pytest")


def test_a_running_endpoint_is_left_as_it_is(target: Target, project: Path) -> None:
    (project / "running").touch()
    with running_endpoint(with_commands(target, FOUND, START, STOP), keep=False) as started:
        assert not started
    assert (project / "running").exists()


def test_one_that_was_started_is_stopped_also_after_an_error(target: Target, project: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        running_endpoint(with_commands(target, FOUND, START, STOP), keep=False) as on,
    ):
        assert on
        assert (project / "running").exists()
        raise KeyboardInterrupt
    assert (project / "stopped").exists()


def test_keep_leaves_it_running(target: Target, project: Path) -> None:
    with running_endpoint(with_commands(target, FOUND, START, STOP), keep=True):
        pass
    assert (project / "running").exists()


def test_a_start_that_fails_is_quoted(target: Target) -> None:
    failing = with_commands(target, FOUND, "import sys; sys.exit('the port is in use')", STOP)
    with (
        pytest.raises(EndpointError, match="failed with code 1: the port is in use"),
        running_endpoint(failing, keep=False),
    ):
        pytest.fail("must not be entered")


def test_sigterm_stops_it_too(target: Target, project: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path\n"
        "from tests.pipelines.test_endpoint import FOUND, START, STOP, with_commands\n"
        "from pipelines.endpoint import running_endpoint; from pipelines.environments import load_target\n"
        f"target = with_commands(load_target(Path({str(project)!r}), 'local'), FOUND, START, STOP)\n"
        "with running_endpoint(target, keep=False):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    signal.pause()\n"
    )
    variables = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    process = subprocess.run([sys.executable, "-c", code], env=variables, check=False, cwd=Path(__file__).parents[2])
    assert process.returncode == 128 + signal.SIGTERM
    assert (project / "stopped").exists()
