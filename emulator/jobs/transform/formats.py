"""Records of the formats that filters and joins know: CSV, JSON and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from emulator.jobs.transform.jsonpath import JsonPath


class FormatError(ValueError):
    """A record cannot be read or written in its format."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An inference id, and when the job began (Developer Guide, "Capture data from batch transform job")."""

    inference_id: str
    time: str


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

    @abstractmethod
    def stamped(self, value: Any, stamp: Stamp) -> Any:
        """What is stored, with the marks by which monitoring finds it again."""

    def filtered(self, record: bytes, path: JsonPath) -> bytes:
        """What a filter leaves of a record."""
        return self.write(path(self.read(record)))

    def finished(self, record: bytes | None, answer: bytes, path: JsonPath, stamp: Stamp | None) -> bytes:
        """What is stored for an answer; ``record`` is None where the two are not joined."""
        value = self.read(answer)
        value = path(value if record is None else self.join(self.read(record), value))
        return self.write(value if stamp is None else self.stamped(value, stamp))


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

    def stamped(self, value: Any, stamp: Stamp) -> Any:
        return [*(value if isinstance(value, list) else [value]), stamp.inference_id, stamp.time]

    def filtered(self, record: bytes, path: JsonPath) -> bytes:
        if not _is_plain(record):
            return super().filtered(record, path)
        return _plain(path(record.split(b",")))

    def finished(self, record: bytes | None, answer: bytes, path: JsonPath, stamp: Stamp | None) -> bytes:
        row = answer if record is None else b"%b,%b" % (record, answer)
        if not _is_plain(row):
            return super().finished(record, answer, path, stamp)
        if not path.selects_all:
            row = _plain(path(row.split(b",")))
        return row if stamp is None else f"{row.decode()},{stamp.inference_id},{stamp.time}".encode()


def _is_plain(row: bytes) -> bool:
    """Whether each comma ends a column: most rows are such, and are never taken for text."""
    return b'"' not in row and row.isascii()


def _plain(value: bytes | list[bytes]) -> bytes:
    return b",".join(value) if isinstance(value, list) else value


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

    def stamped(self, value: Any, stamp: Stamp) -> Any:
        members = value if isinstance(value, dict) else {"SageMakerOutput": value}
        return {**members, "SageMakerInferenceId": stamp.inference_id, "SageMakerInferenceTime": stamp.time}


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
