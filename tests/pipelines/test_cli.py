import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipelines.build import BuiltPipeline
from pipelines.cli import main
from pipelines.group import ORDER
from tests.pipelines.conftest import Cli

VERBS = list(ORDER)


def words(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command, also those of groups, as one types it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from words(command, *before, name)
        else:
            yield (*before, name)


def test_every_verb_is_there_in_the_order_of_use_and_takes_env_and_json(cli: Cli, project: Path) -> None:
    assert main.list_commands(click.Context(main)) == VERBS
    assert set(main.commands) == set(VERBS)
    for verb in words(main):
        result = cli(project, *verb, "--help")
        assert result.exit_code == 0
        assert "--env" in result.output
        assert "--json" in result.output


def test_the_help_names_the_exit_codes(cli: Cli, project: Path) -> None:
    output = cli(project, "--help").output
    for code in (
        "0  done",
        "1  the execution failed",
        "3  no emulator",
        "4  the execution was stopped",
        "5  AWS refused",
    ):
        assert code in output


def test_help_and_list_import_nothing_heavy(project: Path) -> None:
    heavy = {"boto3", "botocore", "sagemaker", "rich", "emulator", "asyncio", "urllib3"}
    for arguments in (["--help"], ["list"]):
        code = (
            "import sys\nfrom pipelines.cli import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
            f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
        )
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=project)
        assert process.stderr.strip() == "[]"


def test_list_shows_what_each_is(cli: Cli, project: Path) -> None:
    assert cli(project, "list").output.startswith("tiny  A pipeline with each way")


def test_an_unknown_pipeline_or_environment_is_a_usage_error(cli: Cli, project: Path) -> None:
    result = cli(project, "build", "tinny")
    assert (result.exit_code, result.output) == (
        2,
        "Error: There is no pipeline 'tinny'. Did you mean 'tiny'? Known: tiny.\n",
    )
    result = cli(project, "build", "tiny", "--env", "prod")
    assert result.exit_code == 2
    assert "no environment 'prod'" in result.output


def test_build_show_upsert_start_and_list_executions(cli: Cli, built: BuiltPipeline, aws_variables: None) -> None:
    root = built.folder.parents[2]
    assert cli(root, "build", "tiny").output.startswith("unchanged ")
    assert "Prepare  Processing  ml.m5.large" in cli(root, "show", "tiny").output
    result = cli(root, "start", "tiny")
    assert result.exit_code == 2
    assert "Next: pipelines upsert tiny" in result.output
    assert "created arn:aws:sagemaker:us-east-1:123456789012:pipeline/tiny" in cli(root, "upsert", "tiny").output
    assert cli(root, "upsert", "tiny").output == "unchanged arn:aws:sagemaker:us-east-1:123456789012:pipeline/tiny\n"
    assert cli(root, "executions", "tiny").output == "Pipeline tiny has no execution yet\n"
    started = cli(root, "start", "tiny", "-p", "MaxDepth=5")
    assert started.exit_code == 0
    identifier = started.output.strip().rpartition("/")[2]
    assert identifier in cli(root, "executions", "tiny").output
    assert "Prepare  Processing" in cli(root, "show", "tiny", "--deployed").output


def test_nothing_at_the_endpoint_is_code_3(cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ):
        monkeypatch.setenv(name, value)
    result = cli(project, "executions", "tiny")
    assert result.exit_code == 3
    assert "http://127.0.0.1:9/" in result.output
    assert "Start it: emulator start" in result.output


def test_ctrl_c_ends_the_following_only(
    cli: Cli, project: Path, aws_variables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.workspace import Workspace
    from tests.pipelines.fakes import ARN

    def interrupted(workspace: Workspace, arn: str) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Workspace, "follow", interrupted)
    result = cli(project, "follow", ARN)
    assert result.exit_code == 130
    assert "pipelines follow abcdefghijkl" in result.output
    assert "pipelines stop abcdefghijkl" in result.output
