"""Records of the formats that filters and joins know: CSV, JSON and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from typing import Any


class FormatError(ValueError):
    """A record cannot be read or written in its format."""


class Format(ABC):
    """How one record is text."""

    name: str

    @abstractmethod
    def read(self, record: bytes) -> Any: ...

    @abstractmethod
    def write(self, value: Any) -> bytes: ...

    @abstractmethod
    def join(self, record: Any, answer: Any) -> Any:
        """The input with the model's answer."""


class Csv(Format):
    """A row is a list of texts; the answer's columns come after the input's."""

    name = "CSV"

    def read(self, record: bytes) -> list[str]:
        text = _decode(record, self.name)
        if '"' not in text:
            return text.split(",")
        try:
            rows = list(csv.reader([text], strict=True))
        except csv.Error as error:
            raise FormatError(f"Failed to parse line: {text[:200]!r} as CSV: {error}") from error
        return rows[0] if rows else []

    def write(self, value: Any) -> bytes:
        row = value if isinstance(value, list) else [value]
        try:
            joined = ",".join(row)
        except TypeError as error:
            raise FormatError("a row of CSV cannot hold lists or objects") from error
        if '"' in joined or "\n" in joined or "\r" in joined or joined.count(",") != len(row) - 1:
            buffer = io.StringIO()
            csv.writer(buffer, lineterminator="").writerow(row)
            joined = buffer.getvalue()
        return joined.encode()

    def join(self, record: Any, answer: Any) -> Any:
        return [*record, *answer]


class Json(Format):
    """The answer becomes the member ``SageMakerOutput`` of an object; of anything else, an object is made."""

    name = "JSON"

    def read(self, record: bytes) -> Any:
        text = _decode(record, self.name)
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"Failed to parse record: {text[:200]!r} as JSON: {error}") from error

    def write(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def join(self, record: Any, answer: Any) -> Any:
        members = record if isinstance(record, dict) else {"SageMakerInput": record}
        return {**members, "SageMakerOutput": answer}


_FORMATS: dict[str, Format] = {
    "text/csv": Csv(),
    "application/json": Json(),
    "application/jsonlines": Json(),
    "application/x-jsonlines": Json(),
    "application/jsonl": Json(),
}


def format_of(media_type: str | None) -> Format | None:
    """The format of a content type such as ``text/csv; header=absent``, None if records of it cannot be read."""
    return _FORMATS.get((media_type or "").partition(";")[0].strip().lower())


def is_lines(media_type: str | None) -> bool:
    """Whether a body of this type has one record per line."""
    kind = (media_type or "").partition(";")[0].strip().lower()
    return kind in _FORMATS and kind != "application/json"


def _decode(record: bytes, name: str) -> str:
    try:
        return record.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"Failed to parse record as {name}: it is not UTF-8") from error
