"""The program `train`: XGBoost on the channels `train` and `validation`, as AWS's algorithm mode does it.

CSV without header, label first. Hyperparameters are XGBoost's, and ``num_round`` and ``early_stopping_rounds``. A step
that brings its own script does not come here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from environment import base_folder
from model import save_model

CHANNELS = ["train", "validation"]
TUNING_OBJECTIVE = "_tuning_objective_metric"
"""A tuning job's training jobs are told by it what they are tuned for; XGBoost does not know it."""
CONTENT_TYPES = ["text/csv", "csv"]


class TrainingError(Exception):
    """The job's own fault: a hyperparameter or a channel."""


def main() -> int:
    """Train, and leave the reason of a failure where SageMaker looks for it."""
    base = base_folder()
    try:
        train(base)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        failure = base / "output" / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(str(error))
        return 1
    return 0


def train(base: Path) -> None:
    """Read the configuration of a job below ``base``, train, write the model.

    Raises:
        TrainingError: the job cannot be done; the message names the hyperparameter or the file.
    """
    config = base / "input" / "config"
    hyperparameters = read_json(config / "hyperparameters.json")
    channels = read_json(config / "inputdataconfig.json")
    if "train" not in channels:
        raise TrainingError(f"there is no channel train; there are {', '.join(channels) or 'none'}")
    rounds = whole_number(hyperparameters, "num_round")
    if rounds is None:
        raise TrainingError("the hyperparameter num_round is missing: how many trees to train")
    early = whole_number(hyperparameters, "early_stopping_rounds")
    if early and "validation" not in channels:
        raise TrainingError("early_stopping_rounds needs a channel validation")
    data = base / "input" / "data"
    matrices = {name: read_channel(data / name, channels[name]) for name in CHANNELS if name in channels}
    booster = fit(hyperparameters, rounds, early, matrices)
    save_model(booster, base / "model")


def fit(parameters: dict[str, str], rounds: int, early: int | None, matrices: dict[str, xgb.DMatrix]) -> xgb.Booster:
    evals = [(matrix, name) for name, matrix in matrices.items()]
    chosen: dict[str, Any] = {"tree_method": "hist", "seed": "0"} | parameters
    chosen.pop(TUNING_OBJECTIVE, None)
    if "eval_metric" in chosen:
        chosen["eval_metric"] = chosen["eval_metric"].split(",")
    try:
        booster = xgb.train(chosen, matrices["train"], rounds, evals=evals, early_stopping_rounds=early)
    except (xgb.core.XGBoostError, ValueError) as error:
        raise TrainingError(f"XGBoost refuses: {error}") from error
    return booster[: booster.best_iteration + 1] if early else booster


def read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise TrainingError(f"{path} is missing: SageMaker writes it before it starts a job")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def whole_number(hyperparameters: dict[str, str], name: str) -> int | None:
    """Take a hyperparameter out; None if it is not set."""
    text = hyperparameters.pop(name, None)
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise TrainingError(f"the hyperparameter {name} is {text!r}: a whole number from 1 is needed")
    return number


def read_channel(folder: Path, config: dict[str, Any]) -> xgb.DMatrix:
    """Every file of a channel.

    Raises:
        TrainingError: it is not CSV of numbers, or empty.
    """
    content_type = config.get("ContentType") or "text/csv"
    if content_type.partition(";")[0].strip() not in CONTENT_TYPES:
        raise TrainingError(f"channel {folder.name}: ContentType {content_type} is not supported: send text/csv")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise TrainingError(f"channel {folder.name} has no file")
    tables = [read_rows(path) for path in paths]
    if len(widths := {table.shape[1] for table in tables}) > 1:
        raise TrainingError(f"channel {folder.name}: its files have {sorted(widths)} columns, and should have as many")
    rows = np.concatenate(tables)
    return xgb.DMatrix(rows[:, 1:], label=rows[:, 0])


def read_rows(path: Path) -> np.ndarray:
    try:
        return np.asarray(pd.read_csv(path, header=None, dtype=np.float32))
    except ValueError as error:
        raise TrainingError(f"{path} is not CSV of numbers without a header: {error}") from error
