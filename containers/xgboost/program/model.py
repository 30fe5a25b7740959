"""A trained model in its folder: XGBoost's own file, and beside it what its columns are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

MODEL_FILE = "xgboost-model"
METADATA_FILE = "metadata.json"
KINDS = {"integer": "int", "number": "q", "category": "c"}
"""The kinds of metadata.json as XGBoost's feature types."""


class ModelError(Exception):
    """The model folder cannot be used; the message says what is in the way."""


@dataclass(frozen=True)
class Model:
    """A booster, and the metadata that the train step wrote; algorithm mode writes none."""

    booster: xgb.Booster
    features: list[dict[str, Any]] = field(default_factory=list)
    threshold: float | None = None

    @property
    def columns(self) -> int:
        """How many features a row has."""
        return int(self.booster.num_features())

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """What the booster says of each row of features."""
        names = [feature["name"] for feature in self.features] or None
        kinds = [KINDS[feature["kind"]] for feature in self.features] or None
        matrix = xgb.DMatrix(rows, feature_names=names, feature_types=kinds, enable_categorical=True, nthread=1)
        return np.asarray(self.booster.predict(matrix))

    def unknown_categories(self, rows: np.ndarray) -> list[str]:
        """Names of the category features with a number in ``rows`` that is no category's."""
        found = []
        for place, feature in enumerate(self.features):
            if feature["kind"] == "category":
                codes = rows[:, place]
                codes = codes[~np.isnan(codes)]
                if not np.isin(codes, np.arange(len(feature["categories"]))).all():
                    found.append(feature["name"])
        return found

    def encode(self, name: str, value: Any) -> float:
        """A feature's value as the column that the model knows; null, and a category never trained on, is missing.

        Raises:
            ValueError: the value is of another kind than the feature.
        """
        feature = self._by_name[name]
        if value is None:
            return float("nan")
        if feature["kind"] == "category":
            if not isinstance(value, str):
                raise ValueError(f"feature {name} is a category: {value!r} is not a string")
            categories = feature["categories"]
            return float(categories.index(value)) if value in categories else float("nan")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"feature {name} is a number, {value!r} is not")
        return float(value)

    @cached_property
    def _by_name(self) -> dict[str, dict[str, Any]]:
        return {feature["name"]: feature for feature in self.features}


def load_model(folder: Path) -> Model:
    """The model of a folder.

    Raises:
        ModelError: there is none, or it is not XGBoost's.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        raise ModelError(f"{path} is missing: the model archive needs it at its root")
    booster = xgb.Booster()
    try:
        booster.load_model(bytearray(path.read_bytes()))
    except xgb.core.XGBoostError as error:
        raise ModelError(f"{path} is not a model of XGBoost: {str(error).splitlines()[-1]}") from error
    metadata_path = folder / METADATA_FILE
    if not metadata_path.is_file():
        return Model(booster)
    try:
        metadata = json.loads(metadata_path.read_text())
        model = Model(booster, metadata["features"], metadata.get("threshold"))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{metadata_path} is not what the train step writes: {error!r}") from error
    if len(model.features) != model.columns:
        raise ModelError(f"{metadata_path} has {len(model.features)} features and {path} has {model.columns}")
    return model


def save_model(booster: xgb.Booster, folder: Path) -> None:
    """Write a booster as XGBoost's binary JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(booster.save_raw("ubj"))
