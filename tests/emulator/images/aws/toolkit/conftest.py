from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulator.images.aws.toolkit.container import Container

Setup = Callable[..., Container]


@pytest.fixture
def container(tmp_path: Path) -> Setup:
    """A container's ``/opt/ml`` with these hyperparameters, channels (folder to files) and content type."""

    def setup(
        hyperparameters: dict[str, str],
        channels: dict[str, dict[str, bytes]] | None = None,
        kind: str | None = "text/csv",
    ) -> Container:
        config = tmp_path / "input" / "config"
        config.mkdir(parents=True)
        described: dict[str, Any] = {}
        for name, files in (channels or {}).items():
            described[name] = {"TrainingInputMode": "File"} | ({"ContentType": kind} if kind else {})
            for file, content in files.items():
                path = tmp_path / "input" / "data" / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        resources = {"current_host": "algo-1", "hosts": ["algo-1"], "current_instance_type": "ml.m5.large"}
        documents = {"hyperparameters": hyperparameters, "inputdataconfig": described, "resourceconfig": resources}
        for name, document in documents.items():
            (config / f"{name}.json").write_text(json.dumps(document))
        return Container(tmp_path)

    return setup


def table(rows: int = 60, seed: int = 0) -> np.ndarray:
    """A label, and three features that decide it."""
    features = np.random.default_rng(seed).random((rows, 3))
    return np.column_stack([features[:, 0] * 3 + features[:, 1], features]).astype(np.float32)


def as_csv(data: np.ndarray) -> bytes:
    return "".join(",".join(f"{value:.6g}" for value in row) + "\n" for row in data).encode()
