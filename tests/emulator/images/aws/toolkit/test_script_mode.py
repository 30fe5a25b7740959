from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from emulator.images.aws.toolkit import cli, distribution, script_mode, user_code
from emulator.images.aws.toolkit.container import Container
from emulator.images.aws.toolkit.errors import UserError
from tests.emulator.images.aws.toolkit.conftest import Setup

PROGRAM = """\
import json, os, sys
json.dump({"arguments": sys.argv[1:], "environ": dict(os.environ), "folder": os.getcwd()},
          open(os.path.join(os.environ["SM_MODEL_DIR"], "seen.json"), "w"))
"""


def archive(folder: Path, **files: str) -> str:
    """A source archive as the SDK makes it."""
    path = folder / "sourcedir.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            (folder / "member").write_text(text)
            tar.add(folder / "member", name.replace("__", "/") + ".py")
    return str(path)


@pytest.mark.parametrize("quoted", [True, False], ids=["v2", "v3 tuner"])
def test_a_program_is_run_with_its_hyperparameters(container: Setup, tmp_path: Path, quoted: bool) -> None:
    own = {"sagemaker_program": "train.py", "sagemaker_submit_directory": archive(tmp_path, train=PROGRAM)}
    values = {name: json.dumps(value) if quoted else value for name, value in own.items()}
    job = container({**values, "epochs": "3", "name": '"a b"', "x": "0.5"}, {"train": {"a": b"1"}})
    job.model.mkdir()
    assert cli.train(job) == 0
    seen = json.loads((job.model / "seen.json").read_text())
    assert seen["arguments"] == ["--epochs", "3", "--name", "a b", "-x", "0.5"]
    assert seen["folder"] == str(job.code)
    environ = seen["environ"]
    assert environ["SM_CHANNEL_TRAIN"] == str(job.channel("train"))
    assert environ["SM_HP_EPOCHS"] == "3"
    assert json.loads(environ["SM_HPS"]) == {"epochs": 3, "name": "a b", "x": 0.5}
    assert environ["SM_USER_ENTRY_POINT"] == "train.py"
    assert json.loads(environ["SM_HOSTS"]) == ["algo-1"]
    assert (job.output / "success").exists()


def test_a_failing_program_s_traceback_is_the_reason(container: Setup, tmp_path: Path) -> None:
    source = archive(tmp_path, train="def f():\n    raise ValueError('no such thing')\nf()\n")
    job = container({"sagemaker_program": "train.py", "sagemaker_submit_directory": source})
    assert cli.train(job) == 1
    reason = (job.output / "failure").read_text()
    assert reason.startswith('ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback')
    assert "ValueError: no such thing" in reason
    assert not (job.output / "success").exists()


def test_the_exit_code_is_the_program_s(container: Setup, tmp_path: Path) -> None:
    source = archive(tmp_path, train="import sys; sys.exit(7)")
    assert cli.train(container({"sagemaker_program": "train.py", "sagemaker_submit_directory": source})) == 7


def test_a_shell_script_is_run_by_a_shell(container: Setup, tmp_path: Path) -> None:
    job = container({"sagemaker_program": "train.sh", "n": "1 2"})
    job.code.mkdir()
    (job.code / "train.sh").write_text('echo "$2" > said\n')
    assert cli.train(job) == 0
    assert (job.code / "said").read_text() == "1 2\n"


def test_a_program_that_is_not_there_is_named_with_what_is(container: Setup, tmp_path: Path) -> None:
    job = container({"sagemaker_program": "main.py", "sagemaker_submit_directory": archive(tmp_path, train="")})
    assert cli.train(job) == 1
    assert "there is no main.py in" in (job.output / "failure").read_text()
    assert "train.py" in (job.output / "failure").read_text()


def test_an_archive_cannot_write_outside_its_folder(container: Setup, tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.gz"
    (tmp_path / "member").write_text("x")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "member", "../../outside")
    job = container({"sagemaker_program": "train.py", "sagemaker_submit_directory": str(path)})
    assert cli.train(job) == 1
    assert "can be unpacked" in (job.output / "failure").read_text()


def test_the_metric_of_a_tuning_job_is_no_argument_of_the_program(container: Setup) -> None:
    job = container({"_tuning_objective_metric": "average test loss", "lr": "0.1"})
    assert script_mode.user_hyperparameters(job) == {"lr": 0.1}
    known = script_mode.variables(job, "train.py", [])["SM_FRAMEWORK_PARAMS"]
    assert json.loads(known) == {"_tuning_objective_metric": "average test loss"}


def test_arguments_of_mappings_and_nothing() -> None:
    assert script_mode.to_arguments({"b": {"y": 1, "x": 2}, "aa": None}) == ["--aa", "", "-b", "x=2,y=1"]


def test_a_long_output_keeps_the_last_traceback_s_end() -> None:
    text = (
        "Traceback (most recent call last):\nold\n" + "Traceback (most recent call last):\n" + "x\n" * 900 + "Error: z"
    )
    reason = user_code.reason(text)
    assert reason.endswith("Error: z")
    assert len(reason) < 1000


TORCHRUN = {"sagemaker_torch_distributed_enabled": "true"}


def test_torchrun_starts_a_process_on_each_host(container: Setup) -> None:
    job = container(TORCHRUN)
    words = distribution.command(job, "train.py", ["--a", "1"])
    assert words is not None
    assert words[1:] == ["-m", "torch.distributed.run", "--nnodes=1", "--nproc_per_node=1", "train.py", "--a", "1"]
    resources = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}
    (job.input / "config" / "resourceconfig.json").write_text(json.dumps(resources))
    words = distribution.command(Container(job.base), "train.py", [])
    assert words is not None
    assert words[3:] == [
        *("--nnodes=2", "--nproc_per_node=1", "--master_addr=algo-1", "--master_port=7777", "--node_rank=1", "train.py")
    ]


def test_without_a_distribution_a_program_is_started_by_itself(container: Setup) -> None:
    assert distribution.command(container({"sagemaker_torch_distributed_enabled": "false"}), "train.py", []) is None


@pytest.mark.parametrize(
    ("given", "program", "reason"),
    [(TORCHRUN, "train.sh", "Python scripts only"), ({"sagemaker_mpi_enabled": "true"}, "train.py", "no MPI")],
)
def test_a_distribution_that_is_not_here_is_refused(
    container: Setup, given: dict[str, str], program: str, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        distribution.command(container(given), program, [])


def test_a_program_knows_the_instance_groups(container: Setup, tmp_path: Path) -> None:
    job = container({"sagemaker_program": "train.py", "sagemaker_submit_directory": archive(tmp_path, train=PROGRAM)})
    groups = [
        {"instance_group_name": "loaders", "instance_type": "ml.m5.large", "hosts": ["algo-1", "algo-2"]},
        {"instance_group_name": "trainers", "instance_type": "ml.c5.xlarge", "hosts": ["algo-3"]},
    ]
    resources = {"current_host": "algo-2", "current_group_name": "loaders", "hosts": ["algo-1", "algo-2", "algo-3"]}
    document = json.dumps({**resources, "instance_groups": groups})
    (job.input / "config" / "resourceconfig.json").write_text(document)
    job.model.mkdir()
    assert cli.train(Container(tmp_path)) == 0
    environ = json.loads((job.model / "seen.json").read_text())["environ"]
    assert environ["SM_CURRENT_INSTANCE_GROUP"] == "loaders"
    assert json.loads(environ["SM_CURRENT_INSTANCE_GROUP_HOSTS"]) == ["algo-1", "algo-2"]
    assert json.loads(environ["SM_INSTANCE_GROUPS"]) == ["loaders", "trainers"]
    assert json.loads(environ["SM_INSTANCE_GROUPS_DICT"])["trainers"] == groups[1]
    assert json.loads(environ["SM_DISTRIBUTION_INSTANCE_GROUPS"]) == ["loaders", "trainers"]
    assert environ["SM_IS_HETERO"] == "true"
