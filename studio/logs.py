"""Logs of jobs: the last lines or a page of them, of one host or of all by time, and the lines with a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from studio.aws import Aws, Problem
from studio.jobs import Kind
from studio.log_lines import EMPTY, LogPage, as_lines, find_cause, host_of, stream_names
from studio.merging import EVERY, Tail, merge, position

LINES = 200
"""Lines of a log on a page."""
FULL_PAGE = 500_000
"""Characters from which on CloudWatch may have cut a page before it had as many lines as were asked for."""
MOST_EMPTY_PAGES = 3
MOST_SEARCHED_PAGES = 10
"""Pages of a search without a hit, after which the reader is asked whether to look on."""
MOST_HOSTS = 8
"""Hosts of a failed job whose logs are searched for the line that explains it."""
MOST_NAMED = 100
"""Streams that CloudWatch searches in one call."""
DOWNLOAD_PAGE = 10_000


def streams_of(aws: Aws, kind: Kind, job: str) -> list[str]:
    """The log streams of a job, one for each of its hosts; none while it has not said anything.

    Raises:
        Problem: AWS refused.
    """
    if kind.log_group is None:
        return []
    try:
        answer = aws.logs("describe_log_streams", logGroupName=kind.log_group, logStreamNamePrefix=f"{job}/")
    except Problem as problem:
        if problem.is_missing:
            return []
        raise
    return [stream["logStreamName"] for stream in answer["logStreams"]]


def read_log(
    aws: Aws, kind: Kind, job: str, *, stream: str = "", token: str | None = None, failed: bool = False
) -> LogPage:
    """The last lines of a job's log, or those at ``token``; of a failed job with the line that explains it marked.

    Without a ``stream`` it is that of the first host, as it was started last, or of the host that explains a failure
    best; ``EVERY`` stands for all of them.
    """
    streams = streams_of(aws, kind, job)
    if stream in streams:
        return _page(aws, kind, stream, streams, token, failed)
    if stream == EVERY and len(streams) > 1:
        return _merged(aws, kind, streams, token, failed)
    if failed and len(streams) > 1:
        pages = [_page(aws, kind, name, streams, None, True) for name in streams[:MOST_HOSTS]]
        return max(pages, key=lambda page: page.certainty)
    return _page(aws, kind, _first(streams), streams, token, failed) if streams else EMPTY


def _first(streams: list[str]) -> str:
    """The stream of the first host; of one that was started several times, the last."""
    host = host_of(streams[0])
    return [stream for stream in streams if host_of(stream) == host and stream.count("/") == 1][-1]


def get_log_events(aws: Aws, kind: Kind, stream: str, **arguments: Any) -> dict[str, Any]:
    """A page of one stream's log, as CloudWatch gives it.

    Raises:
        Problem: AWS refused.
    """
    return aws.logs("get_log_events", logGroupName=kind.log_group, logStreamName=stream, **arguments)


def _page(aws: Aws, kind: Kind, stream: str, streams: list[str], token: str | None, failed: bool) -> LogPage:
    answer = _events(aws, kind, stream, token)
    events = answer["events"]
    cause = find_cause([event["message"] for event in events]) if failed and token is None else None
    older = answer.get("nextBackwardToken") if _is_full(events, LINES) or (token and events) else None
    newer = answer.get("nextForwardToken") if token else None
    lines = as_lines(events, cause.line if cause else None)
    return LogPage(stream, lines, older, newer, tuple(streams), cause.strength if cause else 0)


def _merged(aws: Aws, kind: Kind, streams: list[str], token: str | None, failed: bool) -> LogPage:
    """The last lines of all hosts by time, or those before ``token``."""
    end, skipped = position(token)
    limit = LINES + skipped

    def tail(stream: str) -> Tail:
        events = _events(aws, kind, stream, None, limit, end)["events"]
        return Tail(events, _is_full(events, limit))

    return merge(streams, tail, LINES, token, failed)


def _is_full(events: list[dict[str, Any]], limit: int) -> bool:
    return len(events) >= limit or sum(len(event["message"]) for event in events) >= FULL_PAGE


def _events(
    aws: Aws, kind: Kind, stream: str, token: str | None, limit: int = LINES, end: int | None = None
) -> dict[str, Any]:
    """The last events, or those at ``token``. CloudWatch may give pages without any although there are some before."""
    for _ in range(MOST_EMPTY_PAGES):
        answer = get_log_events(aws, kind, stream, limit=limit, startFromHead=False, nextToken=token, endTime=end)
        if answer["events"] or answer.get("nextBackwardToken") in (None, token):
            break
        token = answer["nextBackwardToken"]
    return answer


def find_in_log(aws: Aws, kind: Kind, job: str, text: str, *, stream: str = "", token: str | None = None) -> LogPage:
    """The lines that contain a text, in the log of one host or of all; ``newer`` leads to those after them.

    Raises:
        Problem: AWS refused.
    """
    streams = streams_of(aws, kind, job)
    if not streams:
        return EMPTY
    looked_in = [stream] if stream in streams else streams[:MOST_NAMED]
    for _ in range(MOST_SEARCHED_PAGES):
        answer = _search(aws, kind, looked_in, token, LINES, _quoted(text))
        token = answer.get("nextToken")
        if answer["events"] or not token:
            break
    events = answer["events"]
    hosts = [streams.index(event["logStreamName"]) for event in events] if len(looked_in) > 1 else []
    return LogPage(
        stream if stream in (*streams, EVERY) else "", as_lines(events, None, hosts), None, token, tuple(streams)
    )


def _search(
    aws: Aws, kind: Kind, streams: list[str], token: str | None, limit: int, pattern: str | None = None
) -> dict[str, Any]:
    return aws.logs(
        "filter_log_events",
        logGroupName=kind.log_group,
        logStreamNames=streams,
        filterPattern=pattern,
        limit=limit,
        nextToken=token,
    )


def _quoted(text: str) -> str:
    """A filter pattern that means the text itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def whole_log(aws: Aws, kind: Kind, job: str, stream: str = "") -> Iterator[str]:
    """Every line as it was written, a page at a time; of ``EVERY`` stream by time, each after the name of its host."""
    streams = streams_of(aws, kind, job)
    if stream == EVERY and len(streams) > 1:
        return _whole_merged(aws, kind, streams)
    return _whole(aws, kind, stream if stream in streams else _first(streams)) if streams else iter(())


def _whole(aws: Aws, kind: Kind, stream: str) -> Iterator[str]:
    token = None
    while True:
        answer = get_log_events(aws, kind, stream, limit=DOWNLOAD_PAGE, startFromHead=True, nextToken=token)
        yield from (event["message"].rstrip("\n") + "\n" for event in answer["events"])
        if answer["nextForwardToken"] == token:  # the end; a page without events is none
            return
        token = answer["nextForwardToken"]


def _whole_merged(aws: Aws, kind: Kind, streams: list[str]) -> Iterator[str]:
    names = dict(zip(streams, stream_names(streams), strict=True))
    token = None
    while True:
        answer = _search(aws, kind, streams[:MOST_NAMED], token, DOWNLOAD_PAGE)
        for event in answer["events"]:
            yield f"{names[event['logStreamName']]}  {event['message'].rstrip(chr(10))}\n"
        token = answer.get("nextToken")
        if not token:
            return
