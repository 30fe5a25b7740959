"""Jobs of every kind: lists, and a page per job with its log and metrics as they come."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response, StreamingResponse

from studio.commands import cli
from studio.jobs import KINDS, Kind, describe_job, list_jobs, view_job
from studio.logs import read_log, read_series, streams_of
from studio.pages.page import Aws, Page, Problem, View, Write, link

TABS = ("logs", "metrics", "input", "output", "info")
STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
LOG_PAGE = 10_000


def jobs(view: View) -> Page:
    kind = KINDS.get(view.get("kind", "training")) or KINDS["training"]
    problem = None
    try:
        items, after = list_jobs(
            view.aws,
            kind,
            contains=view.get("q") or None,
            status=view.get("status") or None,
            order=view.get("sort"),
            after=view.get("after") or None,
        )
    except Problem as found:
        if not found.is_unserved:
            raise
        items, after, problem = [], None, found
    context = {
        "items": items,
        "next": after,
        "kind": kind,
        "kinds": KINDS,
        "statuses": STATUSES,
        "problem": problem,
    }
    is_live = any(item.status in ("InProgress", "Stopping") for item in items)
    return Page("jobs.html", "Jobs", context, ("list",), is_live)


def job(view: View) -> Page:
    kind = _kind(view.parts["kind"])
    found = view_job(kind, describe_job(view.aws, kind, view.parts["job"]))
    tab = view.get("tab", "logs") if view.get("tab", "logs") in TABS else "logs"
    log = None
    if tab == "logs":
        failed = found.status == "Failed"
        log = read_log(
            view.aws, kind, found.name, stream=view.get("stream"), token=view.get("at") or None, failed=failed
        )
    charts = read_series(view.aws, kind, found.name, found.metric_patterns) if tab == "metrics" else []
    context = {
        "job": found,
        "tab": tab,
        "tabs": TABS,
        "log": log,
        "charts": charts,
        "command": cli("sagemaker", f"Stop{kind.stem}", **{kind.name_member: found.name}),
    }
    return Page("job.html", found.name, context, ("head", "main"), found.is_under_way)


def log_download(view: View) -> Response:
    """The whole log as it was written, streamed page after page, so that its size does not matter."""
    kind, name = _kind(view.parts["kind"]), view.parts["job"]
    streams = streams_of(view.aws, kind, name)
    stream = view.get("stream") if view.get("stream") in streams else next(iter(streams), "")
    headers = {"Content-Disposition": f'attachment; filename="{name}.log"'}
    return StreamingResponse(_lines(view.aws, kind, stream), media_type="text/plain; charset=utf-8", headers=headers)


def _lines(aws: Aws, kind: Kind, stream: str):  # type: ignore[no-untyped-def]  # a generator of str
    token = None
    while stream:
        answer = aws.logs(
            "get_log_events",
            logGroupName=kind.log_group,
            logStreamName=stream,
            startFromHead=True,
            limit=LOG_PAGE,
            nextToken=token,
        )
        yield from (event["message"].rstrip("\n") + "\n" for event in answer["events"])
        if not answer["events"] or answer["nextForwardToken"] == token:
            return
        token = answer["nextForwardToken"]


def stop(write: Write) -> Response:
    kind, name = _kind(write.parts["kind"]), write.parts["job"]
    write.aws.sagemaker(f"stop_{kind.method}", **{kind.name_member: name})
    return RedirectResponse(link("jobs", kind.slug, name), 303)


def _kind(slug: str) -> Kind:
    if slug not in KINDS:
        raise Problem("Jobs", "ResourceNotFound", f"There are no {slug!r} jobs; there are {', '.join(KINDS)}.")
    return KINDS[slug]
