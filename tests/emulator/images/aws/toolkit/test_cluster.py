"""One model over several hosts: programs of this machine that find each other as hosts do."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.emulator.images.aws.toolkit.conftest import as_csv, table

HOST = """
import sys
from pathlib import Path
from emulator.images.aws.toolkit import cli
from emulator.images.aws.toolkit.container import Container
from emulator.images.aws.toolkit.xgboost_algorithm import cluster
cluster._PORT, cluster._address = int(sys.argv[2]), lambda host: "127.0.0.1"
sys.exit(cli.train(Container(Path(sys.argv[1]))))
"""
Train = Callable[..., list[str]]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Train on hosts with these parts of the channel train; what each of them printed."""

    def train(*parts: bytes, **hyperparameters: str) -> list[str]:
        names = [f"algo-{number}" for number in range(1, len(parts) + 1)]
        port = free_port()
        for name, part in zip(names, parts, strict=True):
            set_up(tmp_path / name, names, part, {"num_round": "4", "nthread": "1", **hyperparameters})
        command = [sys.executable, "-c", HOST]
        hosts = [
            subprocess.Popen([*command, tmp_path / name, str(port)], stdout=subprocess.PIPE, stderr=2, text=True)
            for name in names
        ]
        try:
            said = [host.communicate()[0] for host in hosts]
        finally:
            for host in hosts:
                host.kill()
        assert [host.returncode for host in hosts] == [0] * len(hosts), said
        return said

    return train


def set_up(base: Path, names: list[str], part: bytes, hyperparameters: dict[str, str]) -> None:
    channel = base / "input" / "data" / "train"
    channel.mkdir(parents=True)
    if part:
        (channel / "part.csv").write_bytes(part)
    documents = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": {"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}},
        "resourceconfig": {"current_host": base.name, "hosts": names},
    }
    (base / "input" / "config").mkdir()
    for name, document in documents.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(document))


def free_port() -> int:
    """Two in a row are taken, and what lies a hundred above them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        return min(number, 65000)


def scores(said: str) -> list[str]:
    return re.findall(r"^\[\d\]\ttrain-rmse:[\d.]+$", said, re.M)


def predictions(path: Path) -> np.ndarray:
    model = xgboost.Booster(model_file=bytearray(path.read_bytes()))
    return np.asarray(model.predict(xgboost.DMatrix(table()[:, 1:])))


@pytest.mark.timeout(300)
def test_hosts_with_data_train_the_model_that_one_would(train: Train, tmp_path: Path) -> None:
    """The first host has no data, so the second is the master."""
    rows = table(120)
    none, first, second = train(b"", as_csv(rows[:60]), as_csv(rows[60:]))
    assert "Host algo-1 does not have data" in none
    assert len(scores(first)) == 4
    assert scores(none) == scores(second) == []
    assert "Train matrix has 60 rows" in second
    assert [path.parent.parent.name for path in tmp_path.glob("*/model/xgboost-model")] == ["algo-2"]
    together = predictions(tmp_path / "algo-2" / "model" / "xgboost-model")
    alone = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows[:, 1:], label=rows[:, 0]), 4)
    np.testing.assert_allclose(together, alone.predict(xgboost.DMatrix(table()[:, 1:])), atol=0.1)
