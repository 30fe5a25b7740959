"""Measure a model on the test months, beside what needs no model at all.

Reads ``model.tar.gz`` and the CSV files of test and train (no header, label first). Writes ``evaluation.json`` in the
format of SageMaker's model quality reports ("Model quality metrics and Amazon CloudWatch monitoring" in the developer
guide) and ``baselines.json``: the same figures of two rules, *no flight is late* and *as often late as this airline was
in this hour of the day in the train months*. Runs alone in the ``xgboost`` image; by hand, every folder is an argument.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

KINDS = {"integer": "int", "number": "q", "category": "c"}
"""The kinds of metadata.json as XGBoost's feature types."""
LOOKUP = ("carrier", "scheduled_departure")
CURVE_POINTS = 200
DEVIATION_ROWS, DEVIATION_SAMPLES, DEVIATION_SHARE = 200, 5, 0.8
"""Model Monitor's rule: with 200 rows or more, the standard deviation over 5 random samples of 80 %."""

Metrics = dict[str, float]


class BadInput(Exception):
    """The input cannot be used; the message names the file and the column."""


def main() -> int:
    arguments = parse_arguments()
    try:
        evaluate(arguments)
    except BadInput as error:
        return fail(str(error), arguments.message)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    base = Path("/opt/ml/processing")
    parser.add_argument("--model", type=Path, default=base / "model", help="folder of model.tar.gz")
    parser.add_argument("--test", type=Path, default=base / "test", help="folder of the test rows")
    parser.add_argument("--train", type=Path, default=base / "train", help="folder of the train rows (baselines)")
    parser.add_argument("--output", type=Path, default=base / "evaluation", help="folder of the reports")
    parser.add_argument("--message", type=Path, default=Path("/opt/ml/output/message"), help="exit message of the job")
    return parser.parse_args()


def fail(reason: str, message: Path) -> int:
    """Say why, also to SageMaker, which shows the first KiB of ``message`` as the job's ExitMessage."""
    print(f"error: {reason}", file=sys.stderr)
    if message.parent.is_dir():
        message.write_bytes(reason.encode()[:1024])
    return 1


def evaluate(arguments: argparse.Namespace) -> None:
    """Write the reports of a model.

    Raises:
        BadInput: there is no model, no row, or the rows are not those that the model knows.
    """
    booster, metadata = read_model(arguments.model / "model.tar.gz")
    names = [feature["name"] for feature in metadata["features"]]
    rows = read_rows(arguments.test, names)
    labels = rows.pop("label").to_numpy()
    if set(np.unique(labels)) != {0, 1}:
        found = ", ".join(f"{label:g}" for label in np.unique(labels)[:5])
        raise BadInput(f"{arguments.test}: the label, the first column, is {found}; an AUC needs both 0 and 1")
    kinds = [KINDS[feature["kind"]] for feature in metadata["features"]]
    matrix = xgb.DMatrix(rows.to_numpy(), feature_names=names, feature_types=kinds, enable_categorical=True)
    scores = booster.predict(matrix)
    metrics = measure(labels, scores, metadata["threshold"])
    deviations = standard_deviations(labels, scores, metadata["threshold"])
    figures = {"confusion_matrix": confusion_matrix(labels, scores, metadata["threshold"])}
    figures |= describe(metrics, deviations) | curves(labels, scores)
    train = read_rows(arguments.train, names, only=LOOKUP)
    baselines = measure_baselines(train, rows, labels, metadata["threshold"])
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_json(arguments.output / "evaluation.json", {"binary_classification_metrics": figures})
    write_json(arguments.output / "baselines.json", baselines)
    summarise({"model": metrics} | {name: baseline["metrics"] for name, baseline in baselines.items()})


def read_model(path: Path) -> tuple[xgb.Booster, dict[str, Any]]:
    """The booster and the metadata of a model archive.

    Raises:
        BadInput: the archive or one of its two members is missing or unreadable.
    """
    if not path.is_file():
        raise BadInput(f"{path} is missing: the input needs the model archive of a training job")
    booster = xgb.Booster()
    try:
        with tarfile.open(path) as archive:
            booster.load_model(bytearray(read_member(archive, "xgboost-model")))
            metadata = json.loads(read_member(archive, "metadata.json"))
    except (tarfile.TarError, KeyError, ValueError, xgb.core.XGBoostError) as error:
        raise BadInput(f"{path} is not a model of the train step: {error}") from error
    return booster, metadata


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    names = {member.name.removeprefix("./"): member for member in archive.getmembers()}
    stream = archive.extractfile(names[name]) if name in names else None
    if stream is None:
        raise KeyError(f"it has no {name}")
    return stream.read()


def read_rows(folder: Path, names: list[str], only: tuple[str, ...] | None = None) -> pd.DataFrame:
    """The CSV files of a folder: ``label``, then the features (or ``only`` some).

    Raises:
        BadInput: there is no row, or the columns are not the model's.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise BadInput(f"{folder} has no .csv file")
    columns = ["label", *names]
    tables = []
    for path in paths:
        with path.open() as stream:
            first = stream.readline()
        if not first.strip():
            raise BadInput(f"{path} is empty")
        if len(first.split(",")) != len(columns):
            raise BadInput(f"{path} has {len(first.split(','))} columns; the model needs {len(columns)}, label first")
        chosen = ["label", *(only or names)]
        try:
            tables.append(pd.read_csv(path, header=None, names=columns, usecols=chosen, dtype=np.float32))
        except ValueError as error:
            raise BadInput(f"{path} is not CSV of numbers without a header: {error}") from error
    return pd.concat(tables, ignore_index=True)


def measure(labels: np.ndarray, scores: np.ndarray, threshold: float) -> Metrics:
    """The figures of scores; a ratio without a denominator (nothing called late) is 0."""
    actual, called = labels == 1, scores >= threshold
    late = int(actual.sum())
    hits = int((actual & called).sum())
    alarms = int(called.sum()) - hits
    on_time = len(labels) - late
    precision, recall = ratio(hits, hits + alarms), ratio(hits, late)
    metrics = {
        "auc": float(roc_auc_score(labels, scores)),
        "accuracy": (hits + on_time - alarms) / len(labels),
        "precision": precision,
        "recall": recall,
        "true_positive_rate": recall,
        "false_positive_rate": ratio(alarms, on_time),
        "true_negative_rate": ratio(on_time - alarms, on_time),
        "false_negative_rate": ratio(late - hits, late),
    }
    return metrics | {f"f{beta:g}".replace(".", "_"): f_score(precision, recall, beta) for beta in (0.5, 1, 2)}


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def f_score(precision: float, recall: float, beta: float) -> float:
    weighted = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / weighted if weighted else 0.0


def standard_deviations(labels: np.ndarray, scores: np.ndarray, threshold: float) -> Metrics:
    """Model Monitor's standard deviations; empty where there are too few rows for them."""
    if len(labels) < DEVIATION_ROWS:
        return {}
    random = np.random.default_rng(0)
    samples = []
    for _ in range(DEVIATION_SAMPLES):
        chosen = random.random(len(labels)) < DEVIATION_SHARE
        if labels[chosen].min() < labels[chosen].max():
            samples.append(measure(labels[chosen], scores[chosen], threshold))
    return {name: float(np.std([sample[name] for sample in samples])) for name in samples[0]} if samples else {}


def describe(metrics: Metrics, deviations: Metrics) -> dict[str, Any]:
    """Figures in the report's form, which has the string NaN for a deviation that is not known."""
    return {
        name: {"value": value, "standard_deviation": deviations.get(name, "NaN")} for name, value in metrics.items()
    }


def curves(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """The ROC and the precision-recall curve, thinned to a few hundred points with both ends kept."""
    false_positive_rates, true_positive_rates, _ = roc_curve(labels, scores)
    precisions, recalls, _ = precision_recall_curve(labels, scores)
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": thin(false_positive_rates),
            "true_positive_rates": thin(true_positive_rates),
        },
        "precision_recall_curve": {"precisions": thin(precisions), "recalls": thin(recalls)},
    }


def thin(values: np.ndarray) -> list[float]:
    chosen = np.unique(np.linspace(0, len(values) - 1, CURVE_POINTS).astype(int))
    return [round(float(value), 6) for value in values[chosen]]


def confusion_matrix(labels: np.ndarray, scores: np.ndarray, threshold: float) -> dict[str, dict[str, int]]:
    """Rows are what happened, columns what was said."""
    called = scores >= threshold
    return {
        str(actual): {str(said): int(((labels == actual) & (called == said)).sum()) for said in (0, 1)}
        for actual in (0, 1)
    }


def measure_baselines(train: pd.DataFrame, test: pd.DataFrame, labels: np.ndarray, threshold: float) -> dict[str, Any]:
    """Figures of the rules that a model has to beat; what they know, they know from the train months."""
    usual = np.full(len(labels), 0.0)
    rates = train.groupby(lookup_keys(train))["label"].mean()
    looked_up = lookup_keys(test).map(rates).fillna(train["label"].mean()).to_numpy()
    return {
        "never_late": {
            "description": "no flight is late",
            "metrics": measure(labels, usual, threshold),
        },
        "carrier_and_hour": {
            "description": "as often late as this carrier was in this hour of the day in the train months",
            "metrics": measure(labels, looked_up, threshold),
        },
    }


def lookup_keys(rows: pd.DataFrame) -> pd.Series[float]:
    """One number for a carrier and an hour of the day."""
    carrier, departure = (rows[name] for name in LOOKUP)
    return carrier.fillna(-1) * 24 + departure // 60


def summarise(metrics: dict[str, Metrics]) -> None:
    shown = ("auc", "accuracy", "precision", "recall", "f1")
    for name, figures in metrics.items():
        print(f"{name}: " + " ".join(f"{metric}={figures[metric]:.4f}" for metric in shown))


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
