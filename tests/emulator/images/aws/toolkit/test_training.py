"""XGBoost's algorithm mode, from the files that SageMaker writes to the files that it uploads."""

from __future__ import annotations

import os
import pickle
import re
import threading

import pytest
import xgboost

from emulator.images.aws.catalog import metric_definitions
from emulator.images.aws.toolkit import cli
from emulator.images.aws.toolkit.container import Container
from emulator.images.aws.toolkit.errors import UserError
from emulator.images.aws.toolkit.xgboost_algorithm import training
from tests.emulator.images.aws.toolkit.conftest import Setup, as_csv, table

CHANNELS = {"train": {"a.csv": as_csv(table())}, "validation": {"b.csv": as_csv(table(seed=1))}}
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def one_thread(hyperparameters: dict[str, str]) -> dict[str, str]:
    """The tests have little data, and other tests beside them."""
    return {**hyperparameters, "nthread": "1"}


def load(container: Container, name: str = "xgboost-model") -> xgboost.Booster:
    booster = xgboost.Booster()
    booster.load_model(bytearray((container.model / name).read_bytes()))
    return booster


def test_a_model_is_trained_and_its_metrics_are_printed(container: Setup, capfd: pytest.CaptureFixture[str]) -> None:
    job = container(one_thread({"num_round": "4", "objective": "reg:linear", "eta": "0.3"}), CHANNELS)
    assert cli.train(job) == 0
    assert load(job).num_boosted_rounds() == 4
    assert (job.output / "success").exists()
    printed = capfd.readouterr().out
    assert len(re.findall(r"^\[\d\]\ttrain-rmse:[\d.]+\tvalidation-rmse:[\d.]+$", printed, re.M)) == 4


def test_aws_s_regular_expressions_find_the_metrics(container: Setup, capfd: pytest.CaptureFixture[str]) -> None:
    training.train(container(one_thread({"num_round": "2", "eval_metric": "mae,mse,rmse"}), CHANNELS))
    line = next(line for line in capfd.readouterr().out.splitlines() if line.startswith("[1]")).replace("\t", "#011")
    found = {d["Name"] for d in metric_definitions(IMAGE, {}) if re.match(d["Regex"], line)}
    assert found == {f"{channel}:{name}" for channel in CHANNELS for name in ("mae", "mse", "rmse")}


@pytest.mark.parametrize(
    ("version", "pickled"), [("0.90-2", True), ("1.2-2", True), ("1.3-1", False), ("3.0-5", False)]
)
def test_the_model_s_file_is_that_of_the_version_asked_for(
    container: Setup, monkeypatch: pytest.MonkeyPatch, version: str, pickled: bool
) -> None:
    monkeypatch.setenv("EMULATOR_IMAGE_VERSION", version)
    job = container(one_thread({"num_round": "1"}), CHANNELS)
    training.train(job)
    content = (job.model / "xgboost-model").read_bytes()
    if pickled:
        assert isinstance(pickle.loads(content), xgboost.Booster)
    else:
        assert load(job).num_features() == 3


def test_early_stopping_keeps_the_best_rounds(container: Setup) -> None:
    noise = {"train": CHANNELS["train"], "validation": {"b.csv": as_csv(-table(seed=2))}}
    job = container(one_thread({"num_round": "50", "early_stopping_rounds": "2", "eta": "1"}), noise)
    training.train(job)
    assert load(job).num_boosted_rounds() < 50


def test_cross_validation_leaves_a_model_for_each_fold(container: Setup, capfd: pytest.CaptureFixture[str]) -> None:
    job = container(one_thread({"num_round": "2", "_kfold": "3"}), {"train": CHANNELS["train"]})
    training.train(job)
    assert sorted(path.name for path in job.model.iterdir()) == [f"xgboost-model-{fold}" for fold in range(3)]
    assert capfd.readouterr().out.splitlines()[-1].startswith("[2]\ttrain-rmse:")


def test_training_goes_on_from_a_checkpoint(container: Setup, capfd: pytest.CaptureFixture[str]) -> None:
    job = container(one_thread({"num_round": "3"}), CHANNELS)
    checkpoints = job.base / "checkpoints"
    (job.input / "config" / "checkpointconfig.json").write_text(f'{{"LocalPath": "{checkpoints}"}}')
    training.train(job)
    (job.input / "config" / "hyperparameters.json").write_text('{"num_round": "5", "nthread": "1"}')
    training.train(again := Container(job.base))
    assert load(again).num_boosted_rounds() == 5
    printed = capfd.readouterr().out
    assert "Resuming from iteration 3" in printed
    assert re.findall(r"^\[(\d)\]\t", printed, re.M) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "1", "etaa": "1"}, "Extraneous hyperparameter found: etaa"),
        ({"num_round": "1", "eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"num_round": "one"}, "Hyperparameter num_round: could not parse value"),
        ({"num_round": "1", "eval_metric": "rmse,foo"}, "Hyperparameter eval_metric: ['rmse', 'foo'] is not in"),
        ({"num_round": "1", "objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        ({"num_round": "1", "tree_method": "gpu_hist"}, "need a GPU"),
    ],
)
def test_wrong_hyperparameters_fail_the_job_with_the_reason(
    container: Setup, hyperparameters: dict[str, str], reason: str
) -> None:
    job = container(hyperparameters, CHANNELS)
    assert cli.train(job) == 1
    assert reason in (job.output / "failure").read_text()


def test_channels_are_those_of_the_algorithm(container: Setup) -> None:
    with pytest.raises(UserError, match="Missing required channel: train"):
        training.train(container(one_thread({"num_round": "1"}), {"validation": CHANNELS["validation"]}))


def test_an_unknown_channel_is_refused(container: Setup) -> None:
    with pytest.raises(UserError, match="Extraneous channel found: test"):
        training.train(container(one_thread({"num_round": "1"}), {**CHANNELS, "test": {"c.csv": b"1,2\n"}}))


def test_weights_are_the_second_column(container: Setup) -> None:
    job = container(one_thread({"num_round": "1", "csv_weights": "1"}), {"train": CHANNELS["train"]})
    training.train(job)
    assert load(job).num_features() == 2


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"label,a\n1,2\n", "text/csv", "First line 'label,a...' of file 'a.csv' is not 'CSV' format"),
        (b",2,3\n,4,5\n", "text/csv", "Failed to load csv data with exception:\n"),
        (b"1\n2\n", "text/csv", "the first 1 are not features"),
        (b"1,2\n", "image/png", "image/png is not an accepted ContentType"),
        (b"1,2\n", "application/x-parquet", "Failed to load parquet data"),
        (b"", "text/csv", "No data in train channel"),
    ],
)
def test_bad_data_fails_the_job_with_the_reason(container: Setup, content: bytes, kind: str, reason: str) -> None:
    job = container(one_thread({"num_round": "1"}), {"train": {"a.csv": content}}, kind)
    assert cli.train(job) == 1
    assert reason in (job.output / "failure").read_text()


def test_a_streamed_channel_is_trained_on(container: Setup) -> None:
    job = container(one_thread({"num_round": "2"}), {"train": {}})
    config = job.input / "config" / "inputdataconfig.json"
    config.write_text('{"train": {"TrainingInputMode": "Pipe", "ContentType": "text/csv"}}')
    (job.input / "data").mkdir()
    os.mkfifo(pipe := job.input / "data" / "train_0")
    writer = threading.Thread(target=pipe.write_bytes, args=(as_csv(table()),))
    writer.start()
    assert cli.train(job) == 0
    writer.join()
    assert load(job).num_boosted_rounds() == 2
