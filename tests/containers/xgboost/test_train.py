from __future__ import annotations

import http.client
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import xgboost as xgb

from tests.containers.xgboost.conftest import PROGRAM, free_port, run_program, start_server


def write_job(
    base: Path, hyperparameters: dict[str, str], rows: str | None = None, content_type: str | None = "text/csv"
) -> Path:
    """What SageMaker puts below /opt/ml: configuration and the channels train and validation."""
    chance = np.random.default_rng(1)
    table = np.column_stack([np.zeros(300), chance.normal(size=(300, 2))])
    table[:, 0] = table[:, 1] + table[:, 2] > 0
    text = "".join(",".join(f"{value:.5g}" for value in row) + "\n" for row in table) if rows is None else rows
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    channel = {"TrainingInputMode": "File"} | ({"ContentType": content_type} if content_type else {})
    (config / "inputdataconfig.json").write_text(json.dumps({"train": channel, "validation": channel}))
    for name in ("train", "validation"):
        (base / "input" / "data" / name).mkdir(parents=True)
        (base / "input" / "data" / name / "part-0.csv").write_text(text)
    return base


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of `train` in this process, for a base folder of the test's own: imports take longer than it does."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(PROGRAM.parent)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    yield importlib.import_module("train")
    for name in set(sys.modules) - before:
        if Path(sys.modules[name].__file__ or "").parent == PROGRAM.parent:
            del sys.modules[name]


def load(base: Path) -> xgb.Booster:
    return xgb.Booster(model_file=bytearray((base / "model" / "xgboost-model").read_bytes()))


def test_trains_the_channels_with_the_hyperparameters(tmp_path: Path) -> None:
    hyperparameters = {"num_round": "7", "max_depth": "2", "objective": "binary:logistic", "eval_metric": "auc,logloss"}
    result = run_program("train", base=write_job(tmp_path, hyperparameters))
    assert result.returncode == 0, result.stderr
    assert load(tmp_path).num_boosted_rounds() == 7
    assert load(tmp_path).num_features() == 2
    assert "validation-auc:" in result.stdout
    assert "train-logloss:" in result.stdout
    assert max(tree.count("leaf") for tree in load(tmp_path).get_dump()) <= 4


def test_stops_early_and_keeps_the_best(tmp_path: Path) -> None:
    hyperparameters = {"num_round": "500", "early_stopping_rounds": "3", "objective": "binary:logistic"}
    base = write_job(tmp_path, hyperparameters | {"eval_metric": "error"})
    result = run_program("train", base=base)
    assert result.returncode == 0, result.stderr
    rounds = sum("validation-error:" in line for line in result.stdout.splitlines())
    assert rounds < 500
    assert load(tmp_path).num_boosted_rounds() == rounds - 3


def test_what_train_makes_serve_serves(tmp_path: Path) -> None:
    assert run_program("train", base=write_job(tmp_path, {"num_round": "3"}, content_type=None)).returncode == 0
    port = free_port()
    process = start_server(tmp_path, port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/invocations", "3,3\n-3,-3\n", {"content-type": "text/csv"})
        high, low = (float(line) for line in connection.getresponse().read().splitlines())
        assert high > low
        connection.request("POST", "/invocations", '{"instances": [{"a": 1}]}', {"content-type": "application/json"})
        response = connection.getresponse()
        assert (response.status, b"does not know its features by name" in response.read()) == (400, True)
    finally:
        connection.close()
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize(
    ("hyperparameters", "rows", "content_type", "message"),
    [
        ({}, None, "text/csv", "the hyperparameter num_round is missing"),
        ({"num_round": "many"}, None, "text/csv", "the hyperparameter num_round is 'many'"),
        ({"num_round": "1", "objective": "nonsense"}, None, "text/csv", "XGBoost refuses: "),
        ({"num_round": "1"}, "label,x\n0,1\n", "text/csv", "train/part-0.csv is not CSV of numbers without a header"),
        ({"num_round": "1"}, "", "text/csv", "train/part-0.csv is not CSV of numbers without a header"),
        ({"num_round": "1"}, None, "text/libsvm", "channel train: ContentType text/libsvm is not supported"),
    ],
)
def test_a_failure_leaves_its_reason(
    tmp_path: Path,
    program: ModuleType,
    capsys: pytest.CaptureFixture[str],
    hyperparameters: dict[str, str],
    rows: str | None,
    content_type: str,
    message: str,
) -> None:
    write_job(tmp_path, hyperparameters, rows, content_type)
    assert program.main() == 1
    reason = (tmp_path / "output" / "failure").read_text()
    assert message in reason
    assert f"error: {reason}" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("arguments", [[], ["predict"]])
def test_other_programs_are_not_in_the_image(tmp_path: Path, arguments: list[str]) -> None:
    result = run_program(*arguments, base=tmp_path)
    assert (result.returncode, "this image has the programs train and serve" in result.stderr) == (2, True)
