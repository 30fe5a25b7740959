"""LIBSVM: ``<label>[:<weight>] [qid:<query>] <index>:<value> …`` in each line, indexes from 0 as XGBoost takes them."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from ..errors import UserError
from .rows import Rows


def parse(data: bytes, name: str) -> Rows:
    """
    Raises:
        UserError: a line is of another form.
    """
    labels: list[float] = []
    weights: list[float] = []
    queries: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    for line in data.decode(errors="replace").splitlines():
        head, *pairs = line.partition("#")[0].split() or [""]
        if not head:
            continue
        try:
            label, colon, weight = head.partition(":")
            labels.append(float(label))
            if colon:
                weights.append(float(weight))
            for pair in pairs:
                index, _, value = pair.partition(":")
                if index == "qid":
                    queries.append(int(value))
                else:
                    columns.append(int(index))
                    values.append(float(value))
        except ValueError as error:
            raise UserError(
                f"First line '{line[:50]}...' of file '{name}' is not 'LIBSVM' format. Please ensure the file is in"
                " 'LIBSVM' format."
            ) from error
        ends.append(len(columns))
    if weights and len(weights) != len(labels):
        raise UserError(f"{name}: some lines have an instance weight, others have none")
    if queries and len(queries) != len(labels):
        raise UserError(f"{name}: some lines have a qid, others have none")
    width = max(columns, default=-1) + 1
    parts = (np.array(values, np.float32), np.array(columns, np.int32), np.array(ends, np.int64))
    table = scipy.sparse.csr_matrix(parts, shape=(len(labels), width))
    return Rows(
        table,
        np.array(labels, np.float32),
        np.array(weights, np.float32) if weights else None,
        np.array(queries, np.int64) if queries else None,
    )
