from __future__ import annotations

import contextlib
import os
import struct
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.images.aws.toolkit.errors import UserError
from emulator.images.aws.toolkit.xgboost_algorithm import data, libsvm, recordio
from tests.emulator.images.aws.toolkit.conftest import as_csv, table


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    head = bytearray()
    while number > 0x7F:
        head.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*head, number])


def tensor(values: list[float], keys: list[int] | None = None, width: int = 0) -> bytes:
    content = field(1, struct.pack(f"<{len(values)}f", *values))
    if keys is not None:
        content += field(2, b"".join(map(varint, keys))) + field(3, varint(width))
    return field(2, content)


def record(features: bytes, label: float | None) -> bytes:
    content = field(1, field(1, b"values") + field(2, features))
    if label is not None:
        content += field(2, field(1, b"values") + field(2, tensor([label])))
    padding = b"\0" * (-len(content) % 4)
    return struct.pack("<II", 0xCED7230A, len(content)) + content + padding


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, "libsvm"),
        ("text/csv", "csv"),
        ("text/csv; label_size=1", "csv"),
        ("CSV", "csv"),
        ("text/x-libsvm", "libsvm"),
        ("application/x-parquet", "parquet"),
    ],
)
def test_content_types(text: str | None, kind: str) -> None:
    assert data.content_type(text) == kind


@pytest.mark.parametrize("text", ["application/json", "text/csv; label_size=2"])
def test_other_content_types_are_refused_by_name(text: str) -> None:
    with pytest.raises(UserError, match="is not an accepted"):
        data.content_type(text)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_usual_delimiter(delimiter: str) -> None:
    rows = table(5)
    found = data.parse_csv(as_csv(rows).replace(b",", delimiter.encode()), "a.csv")
    np.testing.assert_allclose(found, rows, rtol=1e-4)


def test_an_empty_field_is_a_missing_value() -> None:
    assert np.isnan(data.parse_csv(b"1,,3\n4,5,6\n", "a.csv")[0, 1])


def test_a_header_is_refused_as_aws_does() -> None:
    with pytest.raises(UserError, match=r"First line 'age,size\.\.\.' of file 'a\.csv' is not 'CSV' format"):
        data.parse_csv(b"age,size\n1,2\n", "a.csv")


def test_files_in_folders_are_one_channel_and_hidden_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a.csv").write_bytes(as_csv(table(4)))
    (tmp_path / "b.csv").write_bytes(as_csv(table(6)))
    assert data.read_channel(tmp_path, "csv").num_row() == 10
    (tmp_path / ".hidden").write_text("1,2,3,4")
    with pytest.raises(UserError, match="Hidden file found in the data path"):
        data.read_channel(tmp_path, "csv")


def streamed(tmp_path: Path, content: bytes, kind: str) -> xgboost.DMatrix:
    os.mkfifo(tmp_path / "train_0")
    writer = threading.Thread(target=(tmp_path / "train_0").write_bytes, args=(content,))
    writer.start()
    try:
        return data.read_pipe(tmp_path / "train_0", kind)
    finally:
        writer.join()


def test_a_pipe_of_csv_is_read_to_its_end(tmp_path: Path) -> None:
    assert streamed(tmp_path, as_csv(table(4)) + as_csv(table(50_000)), "csv").num_row() == 50_004


def test_files_of_parquet_in_one_stream_are_told_apart(tmp_path: Path) -> None:
    content = b""
    for rows in (3, 5):
        pd.DataFrame(table(rows), columns=list("yabc")).to_parquet(tmp_path / "x")
        content += (tmp_path / "x").read_bytes()
    assert streamed(tmp_path, content, "parquet").num_row() == 8


def test_libsvm_cannot_be_streamed() -> None:
    with pytest.raises(UserError, match="Pipe mode not supported for LIBSVM"):
        data.read_pipe(Path("train_0"), "libsvm")


def test_no_file_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No data in"):
        data.read_channel(tmp_path / "train", "csv")


def test_parquet(tmp_path: Path) -> None:
    rows = table(8)
    pd.DataFrame(rows, columns=list("yabc")).to_parquet(tmp_path / "a.parquet")
    matrix = data.read_channel(tmp_path, "parquet")
    np.testing.assert_allclose(matrix.get_label(), rows[:, 0], rtol=1e-6)
    assert matrix.num_col() == 3


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.integers(0, 9), st.floats(-9, 9, width=32)), min_size=1, max_size=6))
def test_libsvm_has_what_was_written(rows: list[dict[int, float]]) -> None:
    text = "".join(
        f"{n} " + " ".join(f"{i}:{v!r}" for i, v in sorted(row.items())) + "\n" for n, row in enumerate(rows)
    )
    features, labels, weights, queries = libsvm.parse(text.encode(), "a")
    assert labels.tolist() == list(range(len(rows)))
    assert weights is queries is None
    for number, row in enumerate(rows):
        for index, value in row.items():
            assert features[number, index] == np.float32(value)


def test_libsvm_weights() -> None:
    assert libsvm.parse(b"1:0.5 0:2\n0:2 1:3\n", "a")[2].tolist() == [0.5, 2.0]  # type: ignore[union-attr]


def test_libsvm_queries_group_the_rows_that_are_ranked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1 qid:1 0:2\n0 qid:1 0:1 # worse\n")
    (tmp_path / "b").write_bytes(b"0 qid:2 0:1\n1 qid:2 0:2\n1 qid:2 0:3\n")
    matrix = data.read_channel(tmp_path, "libsvm")
    assert matrix.get_uint_info("group_ptr").tolist() == [0, 2, 5]
    assert matrix.num_col() == 1


@pytest.mark.parametrize("text", [b"a,b,c\n", b"1 2 3\n", b"1:1 0:2\n0 0:2\n", b"1 qid:1 0:2\n0 0:2\n"])
def test_what_is_not_libsvm_is_refused(text: bytes) -> None:
    with pytest.raises(UserError):
        libsvm.parse(text, "a")


def test_recordio_of_dense_tensors() -> None:
    features, labels = recordio.parse(record(tensor([1, 2, 3]), 7) + record(tensor([4, 5, 6]), 8), "a")
    assert isinstance(features, np.ndarray)
    assert features.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert labels is not None
    assert labels.tolist() == [7, 8]


def test_recordio_of_sparse_tensors_without_labels() -> None:
    features, labels = recordio.parse(record(tensor([1.5], [300], 400), None), "a")
    assert scipy.sparse.issparse(features)
    assert features.shape == (1, 400)
    assert features[0, 300] == 1.5
    assert labels is None


@given(st.binary(min_size=1, max_size=80))
def test_what_is_not_recordio_is_refused_whatever_it_is(content: bytes) -> None:
    with pytest.raises(UserError):
        recordio.parse(content, "a")


@given(st.binary(max_size=60))
def test_a_broken_record_is_refused_or_read(content: bytes) -> None:
    framed = struct.pack("<II", 0xCED7230A, len(content)) + content + b"\0" * (-len(content) % 4)
    with contextlib.suppress(UserError):
        features, _ = recordio.parse(framed, "a")
        assert features.shape[0] == 1
