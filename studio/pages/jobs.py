"""Jobs of every kind: lists, and a page per job with its log and metrics as they come."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response, StreamingResponse

from studio.addresses import link
from studio.commands import cli
from studio.costs import cost
from studio.job_view import JobView, view_job
from studio.jobs import KINDS, JobSummary, Kind, describe_job, list_jobs
from studio.log_lines import EMPTY, LogPage
from studio.logs import find_in_log, read_log, whole_log
from studio.pages.page import Aws, Page, Problem, View, Write
from studio.series import Metric, read_series
from studio.trials import Trials, read_trials
from studio.usage import Usage, read_usage

TABS = ("logs", "metrics", "input", "output", "info")
TRIAL_TABS = ("trials", "input", "output", "info")
UNDER_WAY = ("InProgress", "Stopping")
STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")


def jobs(view: View) -> Page:
    kind = KINDS.get(view.get("kind", "training")) or KINDS["training"]
    items: list[JobSummary] = []
    after, problem = None, None
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
        problem = found
    context = {
        "items": items,
        "next": after,
        "kind": kind,
        "kinds": KINDS,
        "statuses": STATUSES,
        "problem": problem,
    }
    is_live = any(item.status in UNDER_WAY for item in items)
    return Page("jobs.html", "Jobs", context, ("list",), is_live)


def kind(view: View) -> Response:
    """The address above that of a job leads to the jobs of its kind."""
    return RedirectResponse(link("jobs", kind=_kind(view.parts["kind"]).slug), 303)


def job(view: View) -> Page:
    kind = _kind(view.parts["kind"])
    document = describe_job(view.aws, kind, view.parts["job"])
    found = view_job(kind, document)
    tabs = TABS if kind.log_group else TRIAL_TABS
    tab = view.get("tab") if view.get("tab") in tabs else tabs[0]
    context = {
        "job": found,
        "tab": tab,
        "tabs": tabs,
        "log": job_log(view, found) if tab == "logs" else EMPTY,
        "charts": job_charts(view.aws, found) if tab == "metrics" else [],
        "usage": _usage(view.aws, found) if tab == "metrics" else [],
        "trials": _trials(view, kind, found.name, document) if tab == "trials" else None,
        "cost": cost(found, view.options.prices),
        "command": cli("sagemaker", f"Stop{kind.stem.removesuffix('V2')}", **{kind.name_member: found.name}),
    }
    return Page("job.html", found.name, context, ("head", "main"), found.is_under_way)


def _trials(view: View, kind: Kind, name: str, document: dict[str, Any]) -> Trials | None:
    return view.aws.optional(partial(read_trials, view.aws, kind, name, document), None)


def _usage(aws: Aws, job: JobView) -> list[Usage]:
    return aws.optional(partial(read_usage, aws, job), [])


def job_log(view: View, job: JobView) -> LogPage:
    """The part of a job's log that the address asks for; nothing if it may not be read."""
    stream, token, failed = view.get("stream"), view.get("at") or None, job.status == "Failed"
    if text := view.get("find").strip():
        find = partial(find_in_log, view.aws, job.kind, job.name, text, stream=stream, token=token)
        return view.aws.optional(find, EMPTY)
    ask = partial(read_log, view.aws, job.kind, job.name, stream=stream, token=token, failed=failed)
    return view.aws.optional(ask, EMPTY)


def job_charts(aws: Aws, job: JobView) -> list[Metric]:
    """The job's own metrics through time, read from the logs of its hosts."""
    return aws.optional(partial(read_series, aws, job.kind, job.name, job.metric_patterns), [])


def log_download(view: View) -> Response:
    """The whole log as it was written, streamed page after page, so that its size does not matter."""
    kind, name = _kind(view.parts["kind"]), view.parts["job"]
    headers = {"Content-Disposition": f'attachment; filename="{name}.log"'}
    lines = whole_log(view.aws, kind, name, view.get("stream"))
    return StreamingResponse(lines, media_type="text/plain; charset=utf-8", headers=headers)


def stop(write: Write) -> Response:
    kind, name = _kind(write.parts["kind"]), write.parts["job"]
    write.aws.sagemaker(f"stop_{kind.method.removesuffix('_v2')}", **{kind.name_member: name})
    return RedirectResponse(link("jobs", kind.slug, name), 303)


def _kind(slug: str) -> Kind:
    if slug not in KINDS:
        raise Problem("Jobs", "ResourceNotFound", f"There are no {slug!r} jobs; there are {', '.join(KINDS)}.")
    return KINDS[slug]
