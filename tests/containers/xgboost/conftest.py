"""The program `serve` in a process of its own, with a model small enough to know by heart."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xgboost as xgb

PROGRAM = Path(__file__).parents[3] / "containers" / "xgboost" / "program" / "main.py"
FEATURES = [
    {"name": "hour", "kind": "integer"},
    {"name": "wind", "kind": "number"},
    {"name": "carrier", "kind": "category", "categories": ["AA", "B6", "UA"]},
]
THRESHOLD = 0.4


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answer]


def run_program(*arguments: str, base: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SAGEMAKER_BASE_DIR": str(base)} | environ
    command = [sys.executable, PROGRAM, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def train_small(features: list[dict[str, Any]]) -> xgb.Booster:
    """Late where the carrier is B6 or the hour is late; needs nothing but a generator with a fixed seed."""
    chance = np.random.default_rng(0)
    rows = np.column_stack([chance.integers(5, 23, 400), chance.normal(10, 4, 400), chance.integers(0, 3, 400)]).astype(
        np.float32
    )
    labels = (rows[:, 2] == 1) | (rows[:, 0] > 20)
    matrix = xgb.DMatrix(
        rows,
        label=labels,
        feature_names=[feature["name"] for feature in features],
        feature_types=["int", "q", "c"],
        enable_categorical=True,
    )
    return xgb.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, matrix, 10)


def write_model(base: Path, *, metadata: bool = True) -> Path:
    folder = base / "model"
    folder.mkdir(parents=True)
    (folder / "xgboost-model").write_bytes(train_small(FEATURES).save_raw("ubj"))
    if metadata:
        (folder / "metadata.json").write_text(json.dumps({"features": FEATURES, "threshold": THRESHOLD}))
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(base: Path, port: int) -> subprocess.Popen[bytes]:
    environ = os.environ | {
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_PROGRAM": "",
        "SAGEMAKER_SUBMIT_DIRECTORY": "",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "",
    }
    process = subprocess.Popen([sys.executable, PROGRAM, "serve"], env=environ, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.05)
    process.kill()
    raise AssertionError("serve did not answer")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("ml")
    write_model(base)
    return base


@pytest.fixture(scope="module")
def ask(base: Path) -> Iterator[Ask]:
    """Send one request to a server of the small model."""
    port = free_port()
    process = start_server(base, port)

    def send(method: str, path: str, body: bytes | str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers["content-type"], response.read())
        finally:
            connection.close()

    yield send
    process.terminate()
    assert process.wait(20) in (0, -15)
