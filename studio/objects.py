"""Objects in S3: folders page by page, and the beginning of an object as a table, a tree, a picture or text."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from studio.aws import Aws
from studio.log_lines import printable
from studio.ranged import RangedObject

PAGE = 200
PREVIEW_BYTES = 256 << 10
PREVIEW_ROWS = 100
PREVIEW_CHARACTERS = 20_000
CELL_CHARACTERS = 120
LARGEST_ROW_GROUP = 64 << 20
"""Bytes of a parquet file's first rows that are read for a preview."""
IMAGES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
"""SVG is not among them: it may carry scripts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder (its key ends in a slash, its size is None) or an object."""

    key: str
    name: str
    size: int | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """``kind`` is table, text, image, archive or none; ``note`` says what is left out, or why there is none."""

    kind: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    note: str = ""


def list_folder(aws: Aws, bucket: str, prefix: str, after: str | None) -> tuple[list[Entry], str | None]:
    """A page of the folder ``prefix`` in the order of keys, and where the next one begins."""
    page = aws.s3("list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/", StartAfter=after, MaxKeys=PAGE)
    entries = [Entry(item["Prefix"], item["Prefix"][len(prefix) :]) for item in page.get("CommonPrefixes", [])]
    for item in page.get("Contents", []):
        entries.append(Entry(item["Key"], item["Key"][len(prefix) :] or ".", item["Size"], item["LastModified"]))
    entries.sort(key=lambda entry: entry.key)
    # After a folder the next page begins behind everything in it.
    last = entries[-1].key + ("\U0010fffd" if entries[-1].size is None else "") if entries else None
    return entries, last if page.get("IsTruncated") else None


def preview(aws: Aws, bucket: str, key: str, size: int) -> Preview:
    """The beginning of an object. Never reads more than PREVIEW_BYTES, but for parquet's index and first rows."""
    suffix = key.rsplit(".", 1)[-1].lower() if "." in key else ""
    if suffix in IMAGES:
        return Preview("image")
    if suffix == "parquet":
        return _parquet(aws, bucket, key, size)
    if not size:
        return Preview("none", note="The object is empty.")
    answer = aws.s3("get_object", Bucket=bucket, Key=key, Range=f"bytes=0-{PREVIEW_BYTES - 1}")
    with answer["Body"] as body:
        data = body.read(PREVIEW_BYTES)
    whole = len(data) >= size
    if key.endswith((".tar.gz", ".tgz")):
        return _archive(data)
    if suffix in ("csv", "tsv"):
        return _table(_decode(data), "\t" if suffix == "tsv" else ",", whole)
    if suffix in ("json", "ipynb") and whole:
        return _json(_decode(data))
    if b"\0" in data[:8192]:
        return Preview("none", note="A binary file; there is no preview of this kind.")
    return _text(_decode(data), whole)


def _decode(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _text(text: str, whole: bool) -> Preview:
    shown = "\n".join(printable(line) for line in text[:PREVIEW_CHARACTERS].splitlines())
    complete = whole and len(text) <= PREVIEW_CHARACTERS
    return Preview("text", text=shown, note="" if complete else "The beginning; download it for the rest.")


def _json(text: str) -> Preview:
    try:
        return _text(json.dumps(json.loads(text), indent=2, ensure_ascii=False), True)
    except ValueError:
        return _text(text, True)


def _table(text: str, separator: str, whole: bool) -> Preview:
    lines = text.splitlines(keepends=True)
    if not whole:
        lines = lines[:-1]  # the last one may be cut
    try:
        rows = list(islice(csv.reader(lines, delimiter=separator), PREVIEW_ROWS + 1))
    except csv.Error:
        return _text(text, whole)
    if not rows:
        return _text(text, whole)
    note = f"The first {PREVIEW_ROWS} rows." if len(rows) > PREVIEW_ROWS or not whole else ""
    body = rows if _is_data(rows[0]) else rows[1:]
    header = tuple(f"{i}" for i in range(len(rows[0]))) if body is rows else _cells(rows[0])
    return Preview("table", header, tuple(_cells(row) for row in body[:PREVIEW_ROWS]), note=note)


def _is_data(row: list[str]) -> bool:
    """Whether a first row is data rather than names: SageMaker's algorithms want CSV without a header."""
    return any(cell.replace(".", "", 1).replace("-", "").replace("e", "").isdigit() for cell in row)


def _cells(row: Any) -> tuple[str, ...]:
    return tuple(_cell(printable(str(cell))) for cell in row)


def _cell(text: str) -> str:
    """Cut where it is long, with a mark that says so; the download has the whole."""
    return text if len(text) <= CELL_CHARACTERS else text[:CELL_CHARACTERS] + "…"


def _archive(data: bytes) -> Preview:
    """The members at the beginning of a compressed archive, without unpacking it."""
    rows = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as archive:
            rows = [(printable(member.name), f"{member.size:,}") for member in islice(archive, PREVIEW_ROWS)]
    except (tarfile.ReadError, EOFError, gzip.BadGzipFile, OSError):
        if not rows:
            return Preview("none", note="An archive whose list of members lies beyond its beginning.")
    return Preview("table", ("member", "bytes"), tuple(rows), note="The archive's members.")


def _parquet(aws: Aws, bucket: str, key: str, size: int) -> Preview:
    """The first rows, of which only the index and the first group of rows are read."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        return Preview("none", note="For a preview of parquet, install pyarrow beside studio.")
    try:
        file = parquet.ParquetFile(RangedObject(aws, bucket, key, size))
        columns = file.schema_arrow.names
        if file.metadata.num_row_groups and file.metadata.row_group(0).total_byte_size > LARGEST_ROW_GROUP:
            return Preview("none", note=f"{file.metadata.num_rows:,} rows of {', '.join(columns)}; too large a group.")
        batch = next(file.iter_batches(batch_size=PREVIEW_ROWS), None)
    except ArrowException as error:
        return Preview("none", note=f"Not a parquet file that can be read: {error}")
    rows = [] if batch is None else [_cells(row.values()) for row in batch.to_pylist()]
    note = f"The first {len(rows)} of {file.metadata.num_rows:,} rows."
    return Preview("table", _cells(columns), tuple(rows), note=note)
