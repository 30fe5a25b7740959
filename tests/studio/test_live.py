"""The stream of what changes: only what did, and on through failures that pass."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from studio.aws import Problem
from studio.live import PATIENCE, Read, events

THROTTLED = Problem("ListPipelineExecutionSteps", "ThrottlingException", "Rate exceeded")
GONE = Problem("DescribePipelineExecution", "ResourceNotFound", "does not exist")


def stream(read: Read) -> list[str]:
    async def collect() -> list[str]:
        return [part async for part in events(read, 0)]

    return asyncio.run(collect())


def reading(*answers: tuple[dict[str, str], bool] | Problem) -> Read:
    left: Iterator[tuple[dict[str, str], bool] | Problem] = iter(answers)

    def read() -> tuple[dict[str, str], bool]:
        answer = next(left)
        if isinstance(answer, Problem):
            raise answer
        return answer

    return read


def test_only_what_changed_is_sent() -> None:
    sent = stream(reading(({"a": "1", "b": "1"}, True), ({"a": "1", "b": "2"}, True), ({"a": "1", "b": "2"}, False)))
    assert sent[1:] == [
        'event: patch\ndata: {"a": "1", "b": "1"}\n\n',
        'event: patch\ndata: {"b": "2"}\n\n',
        "event: end\ndata: {}\n\n",
    ]


def test_throttling_is_waited_out() -> None:
    sent = stream(reading(({"a": "1"}, True), THROTTLED, THROTTLED, ({"a": "2"}, False)))
    assert 'data: {"a": "2"}' in sent[2]
    assert sent[-1].startswith("event: end")


def test_the_stream_ends_when_nothing_can_be_read_any_more() -> None:
    assert len(stream(reading(*[THROTTLED] * PATIENCE))) == 1
    assert len(stream(reading(GONE))) == 1
