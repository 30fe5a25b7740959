"""``pipelines train`` on an emulator, as users call it."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.emulators import BIN, Emulator
from tests.integration.small_pipelines import IMAGE
from tests.pipelines.conftest import copy_project

SCRIPT = """\
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
rounds = parser.parse_args().rounds
values = [float(line) for line in (pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "numbers.csv").open()]
for number in range(rounds):
    print(f"round={number} loss={sum(values) / (number + 1)};")
if rounds == 0:
    raise SystemExit("no rounds, no model")
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model").write_text(str(sum(values)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy_project(tmp_path / "checkout")
    (tmp_path / "fit.py").write_text(SCRIPT)
    (tmp_path / "numbers.csv").write_text("1\n2\n3\n")
    return tmp_path


def train(emulator: Emulator, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = ["train", "--script", "fit.py", "--image", IMAGE, "--channel", "train=numbers.csv", *arguments]
    return pipelines(emulator, folder, *words)


def pipelines(emulator: Emulator, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PIPELINES_"))}
    environ |= {name: value for name, value in emulator.exports.items() if value}
    return subprocess.run(
        [BIN / "pipelines", *words],
        env=environ | {"PIPELINES_ROOT": str(folder / "checkout")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_script_trains_and_its_metrics_and_model_are_told(emulator: Emulator, folder: Path) -> None:
    done = train(emulator, folder, "-H", "rounds=3", "--metric", "loss=loss=([0-9.]+);", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "round=2 loss=2.0;" in lines
    assert "  loss  2" in lines
    model = next(line.split()[1] for line in lines if line.startswith("Model"))
    bucket, _, key = model.removeprefix("s3://").partition("/")
    assert emulator.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    assert lines[-1].startswith("Completed in ")
    job = lines[-1].rpartition("/")[2]
    assert sums(emulator, "loss", TrainingJobName=job) == [6 + 3 + 2]
    assert len(sums(emulator, "MemoryUtilization", Host=f"{job}/algo-1")) == 1


def sums(emulator: Emulator, name: str, **dimensions: str) -> list[float]:
    """A metric of training jobs, of all that is an hour old at most."""
    now = datetime.now(UTC)
    found = emulator.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum"],
    )
    return [datapoint["Sum"] for datapoint in found["Datapoints"]]


def test_a_job_that_was_only_started_is_followed_and_stopped_by_its_arn(emulator: Emulator, folder: Path) -> None:
    (folder / "fit.py").write_text("import time\nprint('waiting')\ntime.sleep(60)\n")
    arn = train(emulator, folder).stdout.splitlines()[0].removeprefix("started ")
    assert pipelines(emulator, folder, "stop", arn).stdout == f"stopping {arn}\n"
    followed = pipelines(emulator, folder, "follow", arn)
    assert followed.returncode == 4, followed.stderr
    assert followed.stdout.splitlines()[-1].startswith("Stopped")


def test_a_failed_training_ends_with_1_and_a_document_where_asked(emulator: Emulator, folder: Path) -> None:
    done = train(emulator, folder, "-H", "rounds=0", "--wait", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["status"] == document["job"]["TrainingJobStatus"] == "Failed"
    assert "exit code: 1" in document["job"]["FailureReason"]
    assert "no rounds, no model" in done.stderr
