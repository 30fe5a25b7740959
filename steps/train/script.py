"""Train a gradient boosted classifier on the train months, stop it and choose its threshold on the validation months.

Reads the channels ``train`` and ``validation`` (CSV files without header, label first) and ``features``
(``features.json``). Writes ``xgboost-model`` and ``metadata.json`` (the columns, the threshold) into the model folder.
Runs alone in the ``xgboost`` image; by hand, every folder is an argument. Hyperparameters arrive as arguments too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.metrics import precision_recall_curve, roc_auc_score

KINDS = {"integer": "int", "number": "q", "category": "c"}
"""The kinds of features.json as XGBoost's feature types."""
MODEL_FILE = "xgboost-model"
METADATA_FILE = "metadata.json"


class BadInput(Exception):
    """The input cannot be used; the message names the file and the column."""


def main() -> int:
    arguments = parse_arguments()
    try:
        train(arguments)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--max_depth", type=positive, default=6, help="depth of a tree")
    parser.add_argument("--num_round", type=positive, default=60, help="most trees")
    parser.add_argument("--eta", type=float, default=0.2, help="learning rate")
    parser.add_argument("--early_stopping_rounds", type=positive, default=15, help="rounds without a better validation")
    parser.add_argument("--seed", type=int, default=2013)
    for channel in ("train", "validation", "features"):
        folder = os.environ.get(f"SM_CHANNEL_{channel.upper()}") or f"/opt/ml/input/data/{channel}"
        parser.add_argument(f"--{channel}", type=Path, default=Path(folder), help=f"folder of the channel {channel}")
    model = os.environ.get("SM_MODEL_DIR") or "/opt/ml/model"
    parser.add_argument("--model", type=Path, default=Path(model), help="folder of the model")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def train(arguments: argparse.Namespace) -> None:
    """Train and write the model.

    Raises:
        BadInput: a channel has no usable file.
    """
    description = read_description(arguments.features / "features.json")
    features = description["features"]
    matrix = read_channel(arguments.train, features)
    validation = read_channel(arguments.validation, features)
    booster = fit(arguments, matrix, validation)
    labels, scores = validation.get_label(), booster.predict(validation)
    auc = roc_auc_score(labels, scores)
    threshold = best_threshold(labels, scores)
    print(f"best validation-auc:{auc:.6f} trees:{booster.num_boosted_rounds()} threshold:{threshold:.4f}")
    arguments.model.mkdir(parents=True, exist_ok=True)
    (arguments.model / MODEL_FILE).write_bytes(booster.save_raw("ubj"))
    metadata = description | {"threshold": threshold, "trees": booster.num_boosted_rounds(), "validation_auc": auc}
    (arguments.model / METADATA_FILE).write_text(json.dumps(metadata, indent=2) + "\n")


def read_description(path: Path) -> dict[str, Any]:
    """What the columns are, as the preprocessing wrote it."""
    if not path.is_file():
        raise BadInput(f"{path} is missing: it says what the columns of the training data are")
    description: dict[str, Any] = json.loads(path.read_text())
    return description


def read_channel(folder: Path, features: list[dict[str, Any]]) -> xgb.DMatrix:
    """Every CSV file of a channel: the label, then the features.

    Raises:
        BadInput: there is no row, a column too few or too many, a field that is no number, or only one label.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise BadInput(f"{folder} has no .csv file")
    rows = np.concatenate([read_rows(path, 1 + len(features)) for path in paths])
    labels = rows[:, 0]
    if set(np.unique(labels)) != {0, 1}:
        found = ", ".join(f"{label:g}" for label in np.unique(labels)[:5])
        raise BadInput(f"{folder}: the label, the first column, is {found}; learning needs both 0 and 1")
    return xgb.DMatrix(
        rows[:, 1:],
        label=labels,
        feature_names=[feature["name"] for feature in features],
        feature_types=[KINDS[feature["kind"]] for feature in features],
        enable_categorical=True,
    )


def read_rows(path: Path, columns: int) -> np.ndarray:
    try:
        rows = pd.read_csv(path, header=None, dtype=np.float32, engine="c")
    except pd.errors.EmptyDataError as error:
        raise BadInput(f"{path} is empty") from error
    except ValueError as error:
        raise BadInput(f"{path} is not CSV of numbers without a header: {error}") from error
    if rows.shape[1] != columns:
        raise BadInput(f"{path} has {rows.shape[1]} columns; the label and {columns - 1} features make {columns}")
    return np.asarray(rows)


def fit(arguments: argparse.Namespace, train: xgb.DMatrix, validation: xgb.DMatrix) -> xgb.Booster:
    """The trees up to the round with the best AUC on ``validation``; the same for the same data and arguments."""
    parameters = {
        "objective": "binary:logistic",
        "eval_metric": "auc",
        "tree_method": "hist",
        "max_depth": arguments.max_depth,
        "eta": arguments.eta,
        "max_bin": 64,
        "min_child_weight": 20,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "seed": arguments.seed,
    }
    booster = xgb.train(
        parameters,
        train,
        arguments.num_round,
        evals=[(validation, "validation")],
        early_stopping_rounds=arguments.early_stopping_rounds,
        verbose_eval=10,
    )
    return booster[: booster.best_iteration + 1]


def best_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """The score from which a flight is called late: the one with the best F1."""
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    return float(thresholds[np.argmax(f1[:-1])])


if __name__ == "__main__":
    sys.exit(main())
