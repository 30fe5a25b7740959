"""Logs of several hosts by time: nothing lost, nothing twice, however the pages fall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.log_lines import LogPage, host_of, stream_names
from studio.merging import MOST_MERGED, Tail, merge, position

Log = dict[str, list[tuple[int, str]]]


def pages(logs: Log, lines: int, failed: bool = False) -> Iterator[LogPage]:
    """Every page, from the newest to the oldest."""
    token = None
    while True:
        end, skipped = position(token)

        def tail(stream: str, end: int | None = end, limit: int = lines + skipped) -> Tail:
            before = [{"timestamp": t, "message": text} for t, text in logs[stream] if end is None or t < end]
            return Tail(before[-limit:], len(before[-limit:]) >= limit)

        page = merge(list(logs), tail, lines, token, failed)
        yield page
        token = page.older
        if token is None:
            return


@settings(max_examples=60)
@given(st.data(), st.integers(1, 9))
def test_pages_show_every_line_once_and_in_order(data: st.DataObject, lines: int) -> None:
    logs: Log = {}
    for host in range(data.draw(st.integers(1, 4))):
        times = sorted(data.draw(st.lists(st.integers(0, 12), max_size=25)))
        logs[f"job/algo-{host}-1"] = [(time, f"{host}:{number}") for number, time in enumerate(times)]
    read: list[Any] = []
    for page in pages(logs, lines):
        assert len(page.lines) <= lines
        read = [*page.lines, *read]
    assert [line.milliseconds for line in read] == sorted(line.milliseconds for line in read)
    assert sorted(line.text for line in read) == sorted(text for log in logs.values() for _, text in log)
    for host in range(len(logs)):
        own = [line.text for line in read if line.host == host]
        assert own == [f"{host}:{number}" for number in range(len(own))]


def test_the_cause_is_found_within_one_host_though_the_lines_are_mixed() -> None:
    trace = ["Traceback (most recent call last):", "  File x", "ValueError: here"]
    logs: Log = {
        "job/algo-1-1": [(n * 2, f"waiting {n}") for n in range(4)],
        "job/algo-2-1": [(n * 2 + 1, text) for n, text in enumerate(trace)],
    }
    (page,) = pages(logs, 50, failed=True)
    assert page.cause is not None
    assert (page.cause.text, page.cause.host) == ("ValueError: here", 1)


def test_of_very_many_hosts_it_is_said_how_many_are_left_out() -> None:
    logs: Log = {f"job/algo-{n}-1": [(n, "x")] for n in range(MOST_MERGED + 5)}
    (page,) = pages(logs, 50)
    assert (len(page.lines), page.left_out) == (MOST_MERGED, 5)


def test_streams_are_called_after_their_hosts() -> None:
    streams = ["j/algo-1-17", "j/algo-1-99", "j/algo-2-17", "j/i-0abc-1", "j/i-0abc-1/data-log"]
    assert stream_names(streams) == ["algo-1", "algo-1 (2)", "algo-2", "i-0abc", "i-0abc data-log"]
    assert [host_of(stream) for stream in streams[:2]] == ["algo-1", "algo-1"]
