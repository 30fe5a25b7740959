"""What filters and joins make of records (Developer Guide, "Associate Prediction Results with Input Records").

``InputFilter`` chooses what of a record the model gets; ``JoinSource: Input`` puts the whole record and the model's
answer together; ``OutputFilter`` chooses what of that is stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.jobs.transform.batches import Batch
from emulator.jobs.transform.formats import Format, FormatError, Stamp, format_of, is_lines
from emulator.jobs.transform.jsonpath import JsonPath


@dataclass(frozen=True, slots=True)
class Association:
    """``fmt`` is None where nothing is filtered, joined or stamped: then no record is looked into."""

    fmt: Format | None
    input_filter: JsonPath
    output_filter: JsonPath
    joined: bool
    by_line: bool
    """The input is split: each line is a record."""
    stamped_at: str | None = None
    """When the job began, where every answer gets an inference id and that time."""

    @classmethod
    def of(
        cls, processing: Mapping[str, str], content_type: str | None, *, by_line: bool, stamped_at: str | None = None
    ) -> Association:
        """
        Raises:
            JsonPathError: a filter is no expression that batch transform knows.
            FormatError: records of this content type cannot be looked into.
        """
        input_filter = JsonPath(processing.get("InputFilter", "$") or "$")
        output_filter = JsonPath(processing.get("OutputFilter", "$") or "$")
        joined = processing.get("JoinSource", "None") == "Input"
        if not joined and stamped_at is None and input_filter.selects_all and output_filter.selects_all:
            return cls(None, input_filter, output_filter, False, by_line)
        fmt = format_of(content_type)
        if fmt is None:
            raise FormatError(
                f"DataProcessing works on text/csv, application/json and application/jsonlines, not on {content_type}"
            )
        return cls(fmt, input_filter, output_filter, joined, by_line, stamped_at)

    @property
    def converts(self) -> bool:
        """The model gets something else than the records as they are."""
        return not self.input_filter.selects_all

    @property
    def splits_answers(self) -> bool:
        """Answers are taken apart: something of each record is kept, chosen or added."""
        return self.joined or self.stamped_at is not None or not self.output_filter.selects_all

    def convert(self, line: bytes) -> tuple[bytes, bytes]:
        """What the model gets of a record, and the record, for the join."""
        assert self.fmt is not None
        return (self.fmt.filtered(line, self.input_filter) if self.converts else line), line

    def finish(self, batch: Batch, answer: bytes, answer_type: str | None) -> bytes:
        """What is stored for a batch."""
        if not self.splits_answers:
            return answer
        fmt = self._answer_format(answer_type)
        records = batch.records or (_lines(batch.body) if self.by_line else [batch.body])
        answers = self._answers(answer, answer_type, fmt, len(records))
        kept = records if self.joined else [None] * len(records)
        stored = [
            fmt.finished(record, value, self.output_filter, self._stamp())
            for record, value in zip(kept, answers, strict=True)
        ]
        return b"\n".join(stored) + b"\n" if self.by_line else stored[0]

    def _stamp(self) -> Stamp | None:
        return None if self.stamped_at is None else Stamp(str(uuid.uuid4()), self.stamped_at)

    def _answer_format(self, answer_type: str | None) -> Format:
        assert self.fmt is not None
        fmt = format_of(answer_type) or self.fmt
        if self.joined and fmt.name != self.fmt.name:
            raise FormatError(f"Failed to parse output from the algorithm as {self.fmt.name}: it is {answer_type}")
        return fmt

    def _answers(self, answer: bytes, answer_type: str | None, fmt: Format, count: int) -> list[bytes]:
        if count == 1 and fmt.name == "JSON" and not is_lines(answer_type):
            return [answer]
        parts = _lines(answer) if self.by_line else [answer.rstrip(b"\r\n")]
        if len(parts) != count:
            raise FormatError(
                f"Failed to parse output from the algorithm as {fmt.name}: it has {len(parts)} records, the request had"
                f" {count}"
            )
        return parts


def _lines(body: bytes) -> list[bytes]:
    """The lines that have anything in them, without their ends."""
    return [line for line in body.splitlines() if line.strip()]
