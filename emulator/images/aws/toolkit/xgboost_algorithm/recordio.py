"""RecordIO-protobuf, SageMaker's own format: records framed by RecordIO, each a message ``aialgs.data.Record``.

Read without protobuf's library: the message has two maps from a name to a tensor, ``features`` (1) and ``label`` (2);
a tensor has ``values`` (1), ``keys`` (2, of a sparse one) and ``shape`` (3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

from ..errors import UserError

_MAGIC = 0xCED7230A
_LENGTH_BITS = 29
_TENSORS: dict[int, np.dtype[Any] | None] = {2: np.dtype("<f4"), 3: np.dtype("<f8"), 7: None}
"""Field of ``Value`` to the type of its values; integers are varints."""


class Tensor(NamedTuple):
    values: np.ndarray
    keys: np.ndarray | None
    shape: list[int]


def parse(data: bytes, name: str) -> tuple[np.ndarray | scipy.sparse.csr_matrix, np.ndarray | None]:
    """Features of all records, and labels if they have any.

    Raises:
        UserError: it is not of this format.
    """
    try:
        records = [_record(record) for record in _frames(data)]
    except (IndexError, struct.error, KeyError, ValueError) as error:
        raise UserError(f"{name}: Failed to load recordio-protobuf data with exception:\n{error!r}") from error
    if not records:
        raise UserError(f"{name}: there is no record in it")
    labels = [label for _, label in records]
    known = None if any(label is None for label in labels) else np.array(labels, np.float32)
    return _table([features for features, _ in records]), known


def _frames(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        magic, header = struct.unpack_from("<II", data, position)
        length = header & ((1 << _LENGTH_BITS) - 1)
        if magic != _MAGIC or header >> _LENGTH_BITS:
            raise ValueError(f"no whole RecordIO record at byte {position}")
        yield data[position + 8 : position + 8 + length]
        position += 8 + (length + 3) // 4 * 4


def _record(data: bytes) -> tuple[Tensor, float | None]:
    features: Tensor | None = None
    label: float | None = None
    for field, value in _fields(data):
        if field in (1, 2) and isinstance(value, bytes):
            tensor = _map_entry(value)
            if field == 1:
                features = tensor
            else:
                label = float(tensor.values[0])
    if features is None:
        raise ValueError("a record has no features")
    return features, label


def _map_entry(data: bytes) -> Tensor:
    entry = dict(_fields(data))
    ((kind, tensor),) = list(_fields(_bytes(entry[2])))
    return _tensor(_bytes(tensor), _TENSORS[kind])


def _tensor(data: bytes, kind: np.dtype[Any] | None) -> Tensor:
    values, keys, shape = np.array([], np.float32), None, [0]
    for field, value in _fields(data):
        packed = _bytes(value)
        if field == 1:
            values = np.array(list(_varints(packed))) if kind is None else np.frombuffer(packed, kind)
        elif field == 2:
            keys = np.array(list(_varints(packed)), np.int64)
        elif field == 3:
            shape = list(_varints(packed))
    return Tensor(values.astype(np.float32), keys, shape)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Field numbers of a message and their raw contents."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        match tag & 7:
            case 0:
                number, position = _varint(data, position)
                yield tag >> 3, number
            case 2:
                length, position = _varint(data, position)
                yield tag >> 3, data[position : position + length]
                position += length
            case 5:
                yield tag >> 3, data[position : position + 4]
                position += 4
            case 1:
                yield tag >> 3, data[position : position + 8]
                position += 8
            case other:
                raise ValueError(f"protobuf wire type {other}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7


def _varints(data: bytes) -> Iterator[int]:
    position = 0
    while position < len(data):
        number, position = _varint(data, position)
        yield number


def _bytes(value: bytes | int) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number where a message was expected")
    return value


def _table(tensors: list[Tensor]) -> np.ndarray | scipy.sparse.csr_matrix:
    if all(tensor.keys is None for tensor in tensors):
        return np.stack([tensor.values for tensor in tensors])
    width = max(max([*tensor.shape, *(tensor.keys + 1 if tensor.keys is not None else [])]) for tensor in tensors)
    ends = np.cumsum([0, *(len(tensor.values) for tensor in tensors)])
    keys = [tensor.keys if tensor.keys is not None else np.arange(len(tensor.values)) for tensor in tensors]
    values = np.concatenate([tensor.values for tensor in tensors])
    return scipy.sparse.csr_matrix((values, np.concatenate(keys), ends), shape=(len(tensors), width))
