"""Cross-validation: ``_kfold`` models over ``_num_cv_round`` repetitions, and the mean of their metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xgboost as xgb

from ..errors import UserError

Fit = Callable[..., tuple[xgb.Booster, dict[str, Any]]]


def train(values: dict[str, Any], matrices: Mapping[str, xgb.DMatrix], fit: Fit) -> list[xgb.Booster]:
    """One model per fold; the last line printed has the means, as a tuning job reads them.

    Raises:
        UserError: there is a channel validation, which cross-validation leaves no use for.
    """
    if "validation" in matrices:
        raise UserError(
            "_kfold: cross-validation takes its validation data from the channel train; leave validation out"
        )
    whole, boosters, last = matrices["train"], [], []
    for number, (inside, outside) in enumerate(_splits(values, whole.get_label())):
        print(f"Train cross validation fold {number}", flush=True)
        parts = {"train": whole.slice(inside), "validation": whole.slice(outside)}
        booster, history = fit(values, parts, [])
        boosters.append(booster)
        last.append({f"{data}-{name}": log[-1] for data, logs in history.items() for name, log in logs.items()})
    means = {name: float(np.mean([scores[name] for scores in last])) for name in last[0]}
    print("\t".join([f"[{values['num_round']}]", *(f"{name}:{mean:.5f}" for name, mean in means.items())]), flush=True)
    return boosters


def _splits(values: dict[str, Any], labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    classifies = str(values.get("objective", "")).startswith(("binary:", "multi:"))
    kind = RepeatedStratifiedKFold if classifies else RepeatedKFold
    splitter = kind(
        n_splits=values["_kfold"], n_repeats=values.get("_num_cv_round", 1), random_state=values.get("seed", 0)
    )
    return list(splitter.split(labels, labels))
