"""The objects of a transform job through the model's server: payloads side by side, answers in the input's order."""

from __future__ import annotations

import gzip
import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from emulator.jobs.transform.association import Association
from emulator.jobs.transform.batches import (
    Batch,
    RecordTooLarge,
    frames,
    grouped,
    lines,
    read_lines,
    single_lines,
    whole,
)
from emulator.jobs.transform.chain import Chain
from emulator.jobs.transform.formats import FormatError
from emulator.jobs.transform.framing import FRAMINGS
from emulator.jobs.transform.jsonpath import JsonPathError
from emulator.jobs.transform.server import Answer, NoAnswer

MIB = 1 << 20
_LARGEST_GROUP = 100
_MESSAGE = 4096


class ObjectFailed(Exception):
    """One object cannot be transformed; the others can. ``fault`` is whose: the client's or the algorithm's."""

    def __init__(self, fault: str, *said: str) -> None:
        super().__init__(said[0])
        self.fault = fault
        self.said = said


@dataclass(frozen=True, slots=True)
class Rules:
    """How objects are cut, sent and put together again."""

    split: str
    """SplitType: None, Line, RecordIO or TFRecord."""
    single: bool
    max_payload_mib: int
    gzip: bool
    assemble_lines: bool
    headers: dict[str, str]
    association: Association

    def batches(self, stream: IO[bytes]) -> Iterator[Batch]:
        association = self.association
        limit = (self.max_payload_mib or (0 if self.split == "None" else _LARGEST_GROUP)) * MIB
        if self.split in FRAMINGS:
            return frames(FRAMINGS[self.split](stream), limit, single=self.single)
        if self.split == "None":
            return (
                _converted(whole(stream, limit), association.convert) if association.converts else whole(stream, limit)
            )
        if association.converts:
            return grouped(read_lines(stream, limit), limit, association.convert, single=self.single)
        return single_lines(stream, limit) if self.single else lines(stream, limit)


class ObjectRun:
    """One object: its answers are written, in order, as they come."""

    def __init__(self, source: IO[bytes], target: Path, rules: Rules) -> None:
        self._source = source
        self._target = target
        self._rules = rules

    def answers(self, server: Chain, workers: ThreadPoolExecutor, ahead: int) -> None:
        """Send every payload, at most ``ahead`` at a time.

        Raises:
            ObjectFailed: the object cannot be transformed.
            ServerGone: none can any more.
        """
        waiting: deque[tuple[Batch, Future[Answer]]] = deque()
        with _blaming_the_client(), self._target.open("wb") as out:
            try:
                for batch in self._rules.batches(self._source):
                    waiting.append((batch, workers.submit(server.invoke, batch.body, self._rules.headers)))
                    if len(waiting) >= ahead:
                        self._write(out, *waiting.popleft())
                while waiting:
                    self._write(out, *waiting.popleft())
            finally:
                for _, future in waiting:
                    future.cancel()

    def _write(self, out: IO[bytes], batch: Batch, future: Future[Answer]) -> None:
        answer = _accepted(future)
        data = self._rules.association.finish(batch, answer.body, answer.content_type)
        out.write(data)
        if self._rules.assemble_lines and data and not data.endswith(b"\n"):
            out.write(b"\n")


def _accepted(future: Future[Answer]) -> Answer:
    try:
        answer = future.result()
    except NoAnswer as error:
        raise ObjectFailed("AlgorithmError", str(error)) from error
    if answer.status == 200:
        return answer
    message = answer.body[:_MESSAGE].decode(errors="replace").strip()
    if 400 <= answer.status < 500:
        raise ObjectFailed("ClientError", f"ClientError: {answer.status}", "", "Message:", message)
    raise ObjectFailed(
        "AlgorithmError", f"Bad HTTP status received from algorithm: {answer.status}", "", "Message:", message
    )


def _converted(batches: Iterator[Batch], convert: Callable[[bytes], tuple[bytes, bytes]]) -> Iterator[Batch]:
    for batch in batches:
        body, record = convert(batch.body)
        yield Batch(body, [record])


@contextmanager
def _blaming_the_client() -> Iterator[None]:
    try:
        yield
    except (RecordTooLarge, FormatError, JsonPathError) as error:
        raise ObjectFailed("ClientError", f"ClientError: {error}") from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise ObjectFailed("ClientError", f"ClientError: the object is not gzip: {error}") from error


@contextmanager
def opened(stream: IO[bytes], *, compressed: bool) -> Iterator[IO[bytes]]:
    """What the object holds."""
    with closing(stream), io.BufferedReader(cast("io.RawIOBase", stream), MIB) as buffered:
        if not compressed:
            yield buffered
            return
        with gzip.open(buffered) as unpacked:
            yield cast("IO[bytes]", unpacked)
