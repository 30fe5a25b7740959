"""SavedModels, served as AWS's TensorFlow image does: TensorFlow Serving's JSON in and out.

Handlers named ``input_handler`` and ``output_handler`` belong to a proxy of TensorFlow Serving, which is not here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from . import encoders
from .errors import BadRequest, UserError
from .handlers import Defaults

_SIGNATURE = "serving_default"


def _load_model(folder: str) -> Any:
    """The newest version, ``…/3/saved_model.pb``."""
    found = [path.parent for path in Path(folder).rglob("saved_model.pb")]
    if not found:
        raise UserError(f"no SavedModel bundles found: there is no saved_model.pb below {folder}")
    newest = max(found, key=lambda path: int(path.name) if path.name.isdigit() else -1)
    model = tf.saved_model.load(str(newest))
    if _SIGNATURE not in model.signatures:
        raise UserError(f"the SavedModel {newest} has no signature {_SIGNATURE}, but {sorted(model.signatures)}")
    return model


def _decode(body: bytes, content_type: str) -> Any:
    """``{"instances": […]}``, ``{"inputs": …}``, a list, lines of JSON, CSV or NPY."""
    kind = encoders.media_type(content_type) or encoders.JSON
    try:
        if kind == encoders.JSON_LINES:
            return [json.loads(line) for line in body.splitlines() if line.strip()]
        if kind != encoders.JSON:
            return encoders.decode(body, content_type)
        document = json.loads(body)
    except ValueError as error:
        raise BadRequest(400, f"the body is not {kind}: {error}") from error
    if isinstance(document, dict):
        return document.get("instances", document.get("inputs", document))
    return document


def _predict(value: Any, model: Any) -> dict[str, np.ndarray]:
    signature = model.signatures[_SIGNATURE]
    wanted = signature.structured_input_signature[1]
    given = _by_name(value, list(wanted))
    try:
        tensors = {name: tf.constant(np.asarray(given[name]), dtype=spec.dtype) for name, spec in wanted.items()}
        outputs = signature(**tensors)
    except (KeyError, ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise BadRequest(400, f"the model takes {sorted(wanted)}: {error}") from error
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def _by_name(value: Any, names: list[str]) -> dict[str, Any]:
    """Rows that name their inputs, columns that do, or what the only input takes."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {name: [row[name] for row in value if name in row] for name in names}
    return value if isinstance(value, dict) else {names[0]: value}


def _encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    if not isinstance(prediction, dict):
        return encoders.encode(prediction, accept)
    columns = {name: array.tolist() for name, array in prediction.items()}
    if len(columns) == 1:
        (rows,) = columns.values()
    else:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps({"predictions": rows}).encode(), encoders.JSON


DEFAULTS = Defaults(decode=_decode, predict=_predict, encode=_encode, model=_load_model)
