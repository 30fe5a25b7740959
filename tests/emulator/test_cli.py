from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.emulators import BIN, Emulator


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("cli"), region="eu-west-1")
    yield emulator.start()
    emulator.run("stop", check=False)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path / "data")
    yield emulator
    emulator.run("stop", check=False)


def test_start_prints_the_address_and_what_to_do_next(idle: Emulator) -> None:
    said = idle.run("start").stdout
    assert f"Emulator at {idle.status['url']}" in said
    assert f"emulator env --data-dir {idle.data_dir}" in said
    assert "emulator exec" in said
    assert "emulator stop" in said


def test_start_again_says_that_it_runs(running: Emulator) -> None:
    pid = running.status["pid"]
    assert f"Already running at {running.status['url']}" in running.run("start").stdout
    assert running.status["pid"] == pid


def test_starts_at_the_same_moment_end_in_one_emulator(idle: Emulator) -> None:
    command = [BIN / "emulator", "start"]
    starts = [subprocess.Popen(command, env=idle.environ, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [start.communicate(timeout=60)[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert sum(text.startswith("Emulator at") for text in said) == 1
    assert all(idle.status["url"] in text for text in said)


def test_start_on_another_port_than_it_runs_on_is_refused(running: Emulator) -> None:
    refused = running.run("start", "--port", "1", check=False)
    assert refused.returncode == 1
    assert "emulator stop" in refused.stderr


def test_a_port_in_use_is_refused_and_nothing_runs(idle: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        refused = idle.run("start", "--port", port, check=False)
    assert refused.returncode == 1
    assert f"Port {port}" in refused.stderr
    assert "--port 0" in refused.stderr
    assert idle.status["status"] == "stopped"


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = Emulator(tmp_path / "file" / "data").run("start", check=False)
    assert refused.returncode == 1
    assert "--data-dir DIR" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_status_tells_all_there_is_to_know(running: Emulator) -> None:
    document = running.status
    assert document["status"] == "running"
    assert document["data_dir"] == str(running.data_dir)
    assert document["data_bytes"] > 0
    assert (document["account"], document["region"]) == ("123456789012", "eu-west-1")
    assert document["isolation"]
    assert document["busy"] == {}
    assert f"url:         {document['url']}" in running.run("status").stdout


def test_without_an_emulator_the_exit_code_is_three_and_the_next_command_is_named(idle: Emulator) -> None:
    for arguments in (["status"], ["env"], ["exec", "--", "true"]):
        done = idle.run(*arguments, check=False)
        assert done.returncode == 3
        assert f"emulator start --data-dir {idle.data_dir}" in done.stdout + done.stderr
    assert not idle.data_dir.exists(), "asking leaves nothing behind"


def test_stop_is_the_same_twice(idle: Emulator) -> None:
    idle.start()
    assert idle.run("stop").stdout.startswith("Stopped")
    assert idle.run("stop").stdout.startswith("No emulator is running")
    assert idle.status["status"] == "stopped"


def test_env_prints_exports_for_a_shell(running: Emulator) -> None:
    program = 'eval "$(emulator env)" && echo $AWS_ENDPOINT_URL $AWS_REGION'
    environ = running.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    said = subprocess.run(["sh", "-c", program], env=environ, capture_output=True, text=True, check=True).stdout
    assert said.split() == [running.status["url"], "eu-west-1"]


PROGRAM = """
import boto3, json
sts = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
group = boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName="From-Exec")
print(json.dumps([sts.get_caller_identity()["Account"], group["ModelPackageGroupArn"]]))
"""


def test_a_program_run_by_exec_reaches_the_emulator_and_nothing_else(running: Emulator) -> None:
    said = running.run("exec", "--", sys.executable, "-c", PROGRAM).stdout
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/From-Exec"
    assert json.loads(said) == ["123456789012", arn]


@pytest.mark.parametrize(
    ("command", "code"), [(["sh", "-c", "exit 42"], 42), (["no-such-command"], 127), (["/etc/passwd"], 126)]
)
def test_exec_ends_with_the_code_of_its_command(running: Emulator, command: list[str], code: int) -> None:
    assert running.run("exec", "--", *command, check=False).returncode == code


def test_exec_leaves_the_commands_options_alone(running: Emulator) -> None:
    assert running.run("exec", "echo", "--data-dir", "x", "--help").stdout == "--data-dir x --help\n"


def test_reset_asks_and_refuses_while_it_runs(idle: Emulator) -> None:
    assert "Nothing to reset" in idle.run("reset").stdout
    idle.start()
    idle.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    refused = idle.run("reset", "--yes", check=False)
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)

    idle.stop()
    unanswered = subprocess.run(
        [BIN / "emulator", "reset"],
        env=idle.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert unanswered.returncode == 1
    assert "Delete all state" in unanswered.stdout
    assert (idle.data_dir / "state.db").exists()


def test_reset_by_force_stops_and_deletes(idle: Emulator) -> None:
    idle.start()
    idle.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    idle.run("reset", "--yes", "--force")
    assert [path.name for path in idle.data_dir.iterdir()] == ["emulator.lock"]
    idle.start()
    assert idle.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_state_outlives_a_stop(idle: Emulator) -> None:
    idle.start()
    arn = idle.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"]
    idle.stop()
    idle.start()
    (group,) = idle.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert group["ModelPackageGroupArn"] == arn


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["status", "--help"]])
def test_reading_commands_import_nothing_heavy(arguments: list[str]) -> None:
    program = f"""
import sys
from emulator.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert not end.code
heavy = {{"botocore", "starlette", "uvicorn", "sqlite3", "asyncio", "http.client"}} & sys.modules.keys()
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
