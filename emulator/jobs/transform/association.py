"""What filters and joins make of records (Developer Guide, "Associate Prediction Results with Input Records").

``InputFilter`` chooses what of a record the model gets; ``JoinSource: Input`` puts the whole record and the model's
answer together; ``OutputFilter`` chooses what of that is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.jobs.transform.batches import Batch
from emulator.jobs.transform.formats import Format, FormatError, format_of, is_lines
from emulator.jobs.transform.jsonpath import JsonPath


@dataclass(frozen=True, slots=True)
class Association:
    """``fmt`` is None where nothing is filtered or joined: then no record is looked into."""

    fmt: Format | None
    input_filter: JsonPath
    output_filter: JsonPath
    joined: bool
    by_line: bool
    """The input is split: each line is a record."""

    @classmethod
    def of(cls, processing: Mapping[str, str], content_type: str | None, *, by_line: bool) -> Association:
        """
        Raises:
            JsonPathError: a filter is no expression that batch transform knows.
            FormatError: records of this content type cannot be looked into.
        """
        input_filter = JsonPath(processing.get("InputFilter", "$") or "$")
        output_filter = JsonPath(processing.get("OutputFilter", "$") or "$")
        joined = processing.get("JoinSource", "None") == "Input"
        if not joined and input_filter.selects_all and output_filter.selects_all:
            return cls(None, input_filter, output_filter, False, by_line)
        fmt = format_of(content_type)
        if fmt is None:
            raise FormatError(
                f"DataProcessing works on text/csv, application/json and application/jsonlines, not on {content_type}"
            )
        return cls(fmt, input_filter, output_filter, joined, by_line)

    @property
    def splits_answers(self) -> bool:
        """Answers are taken apart: something of each record is kept, or chosen."""
        return self.joined or not self.output_filter.selects_all

    def convert(self, line: bytes) -> tuple[bytes, Any]:
        """What the model gets of a record, and what is kept of it for the join."""
        assert self.fmt is not None
        record = self.fmt.read(line)
        if self.input_filter.selects_all:
            return line, record
        return self.fmt.write(self.input_filter(record)), record

    def finish(self, batch: Batch, answer: bytes, answer_type: str | None) -> bytes:
        """What is stored for a batch."""
        if not self.splits_answers:
            return answer
        fmt = self._answer_format(answer_type)
        answers = self._answers(answer, answer_type, fmt, len(batch.records))
        values = (
            (fmt.join(record, value) for record, value in zip(batch.records, answers, strict=True))
            if self.joined
            else answers
        )
        stored = [fmt.write(self.output_filter(value)) for value in values]
        return b"".join(line + b"\n" for line in stored) if self.by_line else stored[0]

    def _answer_format(self, answer_type: str | None) -> Format:
        assert self.fmt is not None
        fmt = format_of(answer_type) or self.fmt
        if self.joined and fmt.name != self.fmt.name:
            raise FormatError(f"Failed to parse output from the algorithm as {self.fmt.name}: it is {answer_type}")
        return fmt

    def _answers(self, answer: bytes, answer_type: str | None, fmt: Format, count: int) -> list[Any]:
        if count == 1 and fmt.name == "JSON" and not is_lines(answer_type):
            return [fmt.read(answer)]
        parts = [line for line in answer.splitlines() if line.strip()] if self.by_line else [answer.rstrip(b"\r\n")]
        if len(parts) != count:
            raise FormatError(
                f"Failed to parse output from the algorithm as {fmt.name}: it has {len(parts)} records, the request had"
                f" {count}"
            )
        return [fmt.read(part) for part in parts]
