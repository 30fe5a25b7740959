"""The data of a channel as a matrix of XGBoost's: CSV, LIBSVM, Parquet, RecordIO-protobuf.

The label is the first column; CSV has no header. Hidden files are refused, as AWS does.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse
import xgboost as xgb

from ..errors import UserError
from . import libsvm, recordio
from .rows import Rows

_TYPES = {
    "csv": "csv",
    "text/csv": "csv",
    "libsvm": "libsvm",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "parquet": "parquet",
    "application/x-parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "application/x-recordio-protobuf": "recordio-protobuf",
}
_PARQUET = b"PAR1"
_DELIMITERS = ",;\t| :"


def content_type(text: str | None) -> str:
    """``csv`` of ``text/csv; label_size=1``; LIBSVM where a channel does not say.

    Raises:
        UserError: there is no such type.
    """
    if not text:
        return "libsvm"
    kind, *parameters = [part.strip().lower() for part in text.split(";")]
    if kind not in _TYPES:
        raise UserError(f"{text} is not an accepted ContentType: {', '.join(_TYPES)}.")
    for parameter in parameters:
        if _TYPES[kind] == "csv" and parameter.startswith("label_size") and not parameter.endswith("=1"):
            raise UserError(
                f"{text} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
            )
    return _TYPES[kind]


def read_channel(folder: Path, kind: str, weighted: bool = False) -> xgb.DMatrix:
    """All files of a channel as one matrix.

    Raises:
        UserError: there is no data, or it is not of its type.
    """
    files = data_files(folder)
    if not files:
        raise UserError(f"No data in {folder.name} channel path {folder}")
    parts = [_READERS[kind](path, weighted) for path in files]
    if len(widths := {part.features.shape[1] for part in parts}) > 1 and kind != "libsvm":
        raise UserError(f"channel {folder.name}: its files have different numbers of columns, {sorted(widths)}")
    try:
        return matrix(parts)
    except xgb.core.XGBoostError as error:
        reason = str(error).partition("\nStack trace")[0].strip()
        raise UserError(f"Failed to load {kind} data with exception:\n{reason}") from error


def read_pipe(pipe: Path, kind: str, weighted: bool = False) -> xgb.DMatrix:
    """A channel of mode Pipe, read once, as one matrix.

    Raises:
        UserError: there is no data, it is not of its type, or the type cannot be streamed.
    """
    if kind == "libsvm":
        raise UserError("Pipe mode not supported for LIBSVM.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, pipe.name)
        folder.mkdir()
        data = pipe.read_bytes()
        files = _split_parquet(data) if kind == "parquet" else [data]
        for number, content in enumerate(files):
            (folder / f"{number:09}").write_bytes(content)
        return read_channel(folder, kind, weighted)


def _split_parquet(data: bytes) -> list[bytes]:
    """The files of a stream: each begins and ends with its type's magic word."""
    middles = data.removeprefix(_PARQUET).removesuffix(_PARQUET).split(2 * _PARQUET)
    return [_PARQUET + middle + _PARQUET for middle in middles if middle]


def matrix(parts: list[Rows]) -> xgb.DMatrix:
    return xgb.DMatrix(
        stacked([part.features for part in parts]),
        label=np.concatenate([part.labels for part in parts]),
        weight=_joined([part.weights for part in parts]),
        qid=_joined([part.queries for part in parts]),
    )


def _joined(arrays: list[np.ndarray | None]) -> np.ndarray | None:
    """None where a file has none."""
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if len(known) == len(arrays) else None


def stacked(tables: list[np.ndarray | scipy.sparse.csr_matrix]) -> np.ndarray | scipy.sparse.csr_matrix:
    if all(isinstance(table, np.ndarray) for table in tables):
        return np.concatenate(tables)
    width = max(table.shape[1] for table in tables)
    for table in tables:
        if scipy.sparse.issparse(table):
            table.resize((table.shape[0], width))
    return scipy.sparse.vstack(tables, format="csr")


def data_files(folder: Path) -> list[Path]:
    """The files of a channel, in the order of their names.

    Raises:
        UserError: there is a hidden one among them.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if hidden := [path.name for path in files if path.name.startswith(".")]:
        raise UserError(f"Hidden file found in the data path! Remove that before training. ({', '.join(hidden)})")
    return [path for path in files if not path.name.startswith("_") and path.stat().st_size]


def _read_csv(path: Path, weighted: bool) -> Rows:
    table = parse_csv(path.read_bytes(), path.name)
    first = 2 if weighted else 1
    if table.shape[1] <= first:
        raise UserError(f"{path.name}: {table.shape[1]} columns, and the first {first} are not features")
    return Rows(table[:, first:], table[:, 0], table[:, 1] if weighted else None)


def parse_csv(data: bytes, name: str) -> np.ndarray:
    """Numbers without a header; an empty field is a missing value.

    Raises:
        UserError: there is something else in it.
    """
    import io

    import pandas as pd

    line = data.partition(b"\n")[0].decode(errors="replace").strip()
    try:
        table = pd.read_csv(io.BytesIO(data), header=None, dtype=np.float32, sep=_delimiter(line))
    except ValueError as error:
        raise UserError(
            f"First line '{line[:50]}...' of file '{name}' is not 'CSV' format. Please ensure the file is in 'CSV'"
            f" format. ({error})"
        ) from error
    return np.asarray(table)


def _delimiter(line: str) -> str:
    try:
        found = csv.Sniffer().sniff(line[:512], _DELIMITERS).delimiter
    except csv.Error:
        return ","
    return found if found in line and "," not in line else ","


def _read_libsvm(path: Path, weighted: bool) -> Rows:
    return libsvm.parse(path.read_bytes(), path.name)


def _read_parquet(path: Path, weighted: bool) -> Rows:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path).to_pandas().to_numpy(dtype=np.float32)
    except (pyarrow.ArrowException, ValueError) as error:
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error
    return Rows(table[:, 1:], table[:, 0])


def _read_recordio(path: Path, weighted: bool) -> Rows:
    features, labels = recordio.parse(path.read_bytes(), path.name)
    if labels is None:
        raise UserError(f"{path.name}: its records have no label")
    return Rows(features, labels)


_READERS: dict[str, Callable[[Path, bool], Rows]] = {
    "csv": _read_csv,
    "libsvm": _read_libsvm,
    "parquet": _read_parquet,
    "recordio-protobuf": _read_recordio,
}
