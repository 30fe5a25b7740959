"""Evaluation metrics: XGBoost's own, and those that AWS's image adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import xgboost as xgb

OF_XGBOOST = [
    "auc",
    "aucpr",
    "map",
    "ndcg",
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
]
Metric = Callable[[np.ndarray, np.ndarray], float]
Custom = Callable[[np.ndarray, xgb.DMatrix], list[tuple[str, float]]]


def _averaged(name: str, average: str) -> Metric:
    def metric(labels: np.ndarray, predictions: np.ndarray) -> float:
        import sklearn.metrics

        return float(getattr(sklearn.metrics, f"{name}_score")(labels, predictions, average=average, zero_division=0))

    return metric


def _plain(name: str) -> Metric:
    def metric(labels: np.ndarray, predictions: np.ndarray) -> float:
        import sklearn.metrics

        return float(getattr(sklearn.metrics, name)(labels, predictions))

    return metric


_OF_CLASSES: dict[str, Metric] = {
    "accuracy": _plain("accuracy_score"),
    "balanced_accuracy": _plain("balanced_accuracy_score"),
    "f1": _averaged("f1", "macro"),
    "f1_binary": _averaged("f1", "binary"),
    "f1_macro": _averaged("f1", "macro"),
    "precision": _averaged("precision", "binary"),
    "precision_macro": _averaged("precision", "macro"),
    "precision_micro": _averaged("precision", "micro"),
    "recall": _averaged("recall", "binary"),
    "recall_macro": _averaged("recall", "macro"),
    "recall_micro": _averaged("recall", "micro"),
}
_OF_NUMBERS: dict[str, Metric] = {"mse": _plain("mean_squared_error"), "r2": _plain("r2_score")}
ALL_METRICS = (*OF_XGBOOST, *_OF_CLASSES, *_OF_NUMBERS)


def added(names: Iterable[str]) -> Custom | None:
    """The function that computes those of ``names`` that XGBoost does not know; None where there are none."""
    wanted = [name for name in dict.fromkeys(names) if name in _OF_CLASSES or name in _OF_NUMBERS]

    def compute(predictions: np.ndarray, data: xgb.DMatrix) -> list[tuple[str, float]]:
        labels = data.get_label()
        found = []
        for name in wanted:
            if name in _OF_NUMBERS:
                found.append((name, _OF_NUMBERS[name](labels, predictions)))
            else:
                found.append((name, _OF_CLASSES[name](labels, classes(predictions))))
        return found

    return compute if wanted else None


def classes(predictions: np.ndarray) -> np.ndarray:
    """Chances, one or one per class, as classes."""
    return predictions.argmax(axis=1) if predictions.ndim > 1 else (predictions > 0.5).astype(int)
