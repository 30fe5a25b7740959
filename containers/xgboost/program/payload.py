"""Requests and responses of /invocations: bytes to rows of features, predictions to bytes.

``text/csv``: one row per line, the columns of the training file without its label (a category as its number, an empty
field where a value is missing); the answer has one prediction per line.

``application/json``: ``{"instances": [...]}``, each a list of the same columns or an object with every feature by its
name (a category as its name, null where a value is missing); the answer is ``{"predictions": [{"score": ...}]}``, with
``predicted_label`` where the model has a threshold.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from model import Model


class BadRequest(Exception):
    """The client's request cannot be answered; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_csv(body: bytes, model: Model) -> np.ndarray:
    if not body.strip():
        raise BadRequest(400, "the body is empty: one row of features per line is expected")
    try:
        table = pd.read_csv(io.BytesIO(body), header=None, dtype=np.float32, skip_blank_lines=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadRequest(400, f"the body is not CSV of numbers without a header: {error}") from error
    rows = table.to_numpy()
    if body.count(b",") != len(rows) * (rows.shape[1] - 1):
        raise BadRequest(400, f"the rows have different numbers of columns; the model has {model.columns} features")
    return _checked(rows, model)


def read_json(body: bytes, model: Model) -> np.ndarray:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(400, f"the body is not JSON: {error}") from error
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise BadRequest(400, 'the body is not {"instances": [...]} with at least one instance')
    rows = [_read_instance(number, instance, model) for number, instance in enumerate(instances)]
    with np.errstate(over="ignore"):
        return _checked(np.array(rows, dtype=np.float32), model)


def _read_instance(number: int, instance: Any, model: Model) -> list[float]:
    where = f"instance {number}"
    try:
        match instance:
            case dict():
                return _read_object(instance, model)
            case list() if len(instance) == model.columns:
                return [float("nan") if value is None else float(value) for value in instance]
            case list():
                raise ValueError(f"it has {len(instance)} values, the model has {model.columns} features")
    except (ValueError, TypeError, OverflowError) as error:
        raise BadRequest(400, f"{where}: {error}") from error
    raise BadRequest(400, f"{where} is neither an object nor a list")


def _read_object(instance: Mapping[str, Any], model: Model) -> list[float]:
    names = [feature["name"] for feature in model.features]
    if not names:
        raise ValueError("this model does not know its features by name: send a list")
    if unknown := [name for name in instance if name not in names]:
        raise ValueError(f"there is no feature {', '.join(unknown)}; there are {', '.join(names)}")
    if missing := [name for name in names if name not in instance]:
        raise ValueError(f"feature {', '.join(missing)} is missing: null says that its value is not known")
    return [model.encode(name, instance[name]) for name in names]


def _checked(rows: np.ndarray, model: Model) -> np.ndarray:
    if rows.shape[1] != model.columns:
        raise BadRequest(400, f"a row has {rows.shape[1]} columns, the model has {model.columns} features")
    if np.isinf(rows).any():
        raise BadRequest(400, "a value is infinite or too large")
    if unknown := model.unknown_categories(rows):
        raise BadRequest(400, f"feature {', '.join(unknown)} has a number that is none of its categories")
    return rows


def write_csv(scores: np.ndarray, model: Model) -> bytes:
    lines = scores.reshape(len(scores), -1)
    return "".join(",".join(f"{value:.9g}" for value in line) + "\n" for line in lines).encode()


def write_json(scores: np.ndarray, model: Model) -> bytes:
    predictions: list[dict[str, Any]] = [{"score": score} for score in scores.tolist()]
    if model.threshold is not None:
        for prediction in predictions:
            prediction["predicted_label"] = int(prediction["score"] >= model.threshold)
    return json.dumps({"predictions": predictions}).encode()


READERS: dict[str, Callable[[bytes, Model], np.ndarray]] = {"text/csv": read_csv, "application/json": read_json}
WRITERS: dict[str, Callable[[np.ndarray, Model], bytes]] = {"text/csv": write_csv, "application/json": write_json}


def media_type(header: str) -> str:
    """``text/csv`` of ``text/csv; charset=utf-8``."""
    return header.partition(";")[0].strip().lower()


def choose_reader(content_type: str) -> str:
    kind = media_type(content_type)
    if kind not in READERS:
        raise BadRequest(415, f"Content-Type {kind or '(none)'} is not supported: send {' or '.join(READERS)}")
    return kind


def choose_writer(accept: str, otherwise: str) -> str:
    """The first type of an Accept header that can be written; ``otherwise`` where it takes anything."""
    wanted = [media_type(part) for part in accept.split(",") if part.strip()]
    for kind in wanted or ["*/*"]:
        if kind == "*/*":
            return otherwise
        for known in (otherwise, *WRITERS):
            if kind in (known, f"{known.partition('/')[0]}/*"):
                return known
    raise BadRequest(406, f"Accept {accept} is not supported: {' or '.join(WRITERS)} can be had")
