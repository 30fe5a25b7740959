"""Requests to arrays and predictions to responses, by content type, as AWS's framework images do by default."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import BadRequest

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
JSON_LINES = "application/jsonlines"


def media_type(header: str) -> str:
    """``text/csv`` of ``text/csv; charset=utf-8``."""
    return header.partition(";")[0].strip().lower()


def _read_csv(body: bytes) -> np.ndarray:
    rows = [line.split(",") for line in body.decode().splitlines() if line.strip()]
    try:
        return np.array([[float(field) if field.strip() else np.nan for field in row] for row in rows])
    except ValueError:
        return np.array(rows)  # of strings: the model may know them


def _read_json(body: bytes) -> np.ndarray:
    return np.array(json.loads(body))


def _read_npy(body: bytes) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(body), allow_pickle=False))


def _write_csv(value: Any) -> bytes:
    table = np.asarray(value)
    rows = table.reshape(1, -1) if table.ndim < 2 else table.reshape(len(table), -1)
    if table.ndim == 1:
        rows = table.reshape(-1, 1)
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()


def _write_json(value: Any) -> bytes:
    return json.dumps(value, default=_as_json).encode()


def _as_json(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_numpy"):
        return value.to_numpy().tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _write_npy(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value))
    return buffer.getvalue()


READERS: dict[str, Callable[[bytes], np.ndarray]] = {CSV: _read_csv, JSON: _read_json, NPY: _read_npy}
WRITERS: dict[str, Callable[[Any], bytes]] = {CSV: _write_csv, JSON: _write_json, NPY: _write_npy}


def decode(body: bytes, content_type: str) -> np.ndarray:
    """
    Raises:
        BadRequest: the type is not known, or the body is not of it.
    """
    kind = media_type(content_type) or JSON
    if kind not in READERS:
        raise BadRequest(415, f"Content type {kind} is not supported by this framework.\n{_ADVICE}")
    try:
        array = READERS[kind](body)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadRequest(400, f"the body is not {kind}: {error}") from error
    return array.astype(np.float32) if kind != NPY and array.dtype.kind in "fiub" else array


def encode(value: Any, accept: str) -> tuple[bytes, str]:
    """The response, and its type: the first of an Accept header that can be written, JSON where any may be.

    Raises:
        BadRequest: none can.
    """
    for kind in [media_type(part) for part in accept.split(",") if part.strip()] or ["*/*"]:
        if kind in ("*/*", "application/*"):
            kind = JSON
        if kind in WRITERS:
            return WRITERS[kind](value), kind
    raise BadRequest(406, f"Content type {accept} is not supported by this framework.\n{_ADVICE}")


_ADVICE = (
    "Please implement input_fn to to deserialize the request data or an output_fn to serialize the response. For more"
    " information, see the SageMaker Python SDK README."
)
