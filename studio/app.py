"""The web application: addresses to handlers, pages to HTML, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from studio.aws import Aws, Problem
from studio.live import events
from studio.pages import compare, executions, jobs, lineage, models, objects, pipelines, search, start
from studio.pages.page import Options, Page, View, Write
from studio.rendering import Renderer
from studio.scores import Scores
from studio.security import Access, Guard, forbids_write

Handler = Callable[[View], Page | Response]
Action = Callable[[Write], Page | Response]

PAGES: dict[str, Handler] = {
    "/pipelines": pipelines.pipelines,
    "/pipelines/{pipeline}": pipelines.pipeline,
    "/pipelines/{pipeline}/definition": pipelines.definition_download,
    "/pipelines/{pipeline}/start": start.start_form,
    "/pipelines/{pipeline}/compare": compare.compare,
    "/pipelines/{pipeline}/executions/{execution}": executions.execution,
    "/jobs": jobs.jobs,
    "/jobs/{kind}": jobs.kind,
    "/jobs/{kind}/{job}": jobs.job,
    "/jobs/{kind}/{job}/log": jobs.log_download,
    "/models": models.groups,
    "/models/{group}": models.group,
    "/models/{group}/{version}": models.package,
    "/lineage": lineage.lineage,
    "/s3": objects.buckets,
    "/s3/{bucket}": objects.folder,
    "/s3/{bucket}/object": objects.item,
    "/s3/{bucket}/raw": objects.raw,
    "/search": search.search,
}
ACTIONS: dict[str, Action] = {
    "/pipelines/{pipeline}/start": start.start,
    "/pipelines/{pipeline}/delete": pipelines.delete,
    "/pipelines/{pipeline}/executions/{execution}/stop": executions.stop,
    "/pipelines/{pipeline}/executions/{execution}/retry": executions.retry,
    "/jobs/{kind}/{job}/stop": jobs.stop,
    "/models/{group}/{version}/approval": models.approve,
    "/models/{group}/{version}/delete": models.delete,
}
NEARBY_SECONDS, REMOTE_SECONDS = 0.5, 4.0
"""How often a page that lives is read again: AWS throttles those who ask often."""
LARGEST_FORM = 1 << 20
TITLES = {403: "Not allowed", 404: "Not found", 422: "AWS refused", 500: "Studio failed"}


class Studio:
    """The handlers' surroundings: the way to AWS, the templates, who may do what."""

    def __init__(self, aws: Aws, access: Access, options: Options) -> None:
        self.aws = aws
        self.access = access
        self.options = options
        self.scores = Scores(aws)
        self.renderer = Renderer(csrf=access.csrf, read_only=access.read_only, region=aws.region, endpoint=aws.endpoint)
        self.routes = [Route(path, partial(self.show, handler=handler)) for path, handler in PAGES.items()]

    async def show(self, request: Request, handler: Handler) -> Response:
        view = self._view(request.url.path, dict(request.path_params), request.query_params)
        return await run_in_threadpool(self._show, view, handler)

    def _view(self, path: str, parts: dict[str, str], query: QueryParams) -> View:
        return View(self.aws.reader(), self.options, path, parts, query, self.scores)

    def _show(self, view: View, handler: Handler) -> Response:
        try:
            found = handler(view)
        except Problem as problem:
            found = problem_page(problem)
        return found if isinstance(found, Response) else self._html(found, view)

    def _html(self, page: Page, view: View) -> Response:
        html = self.renderer.page(page, view=page.view or view)
        return HTMLResponse(html, page.status, headers={"Cache-Control": "no-store"})

    async def change(self, request: Request, action: Action) -> Response:
        form = parse_qsl((await _body(request)).decode(errors="replace"), keep_blank_values=True)
        items = dict(form)
        chosen = tuple(value for name, value in form if name == "only")
        view = self._view(request.url.path, dict(request.path_params), QueryParams())
        if refusal := forbids_write(self.access, request.headers, items.pop("csrf", "")):
            return self._html(problem_page(Problem("Refused", "Forbidden", refusal), 403), view)
        return await run_in_threadpool(self._change, Write(view, items, chosen), action)

    def _change(self, write: Write, action: Action) -> Response:
        try:
            found = action(write)
        except Problem as problem:
            found = problem_page(problem, 422)
        return found if isinstance(found, Response) else self._html(found, write.view)

    async def live(self, request: Request) -> Response:
        """The events of the page whose address is in ``for``."""
        address = urlsplit(request.query_params.get("for", ""))
        query = QueryParams(address.query)
        scope = {"type": "http", "path": address.path, "method": "GET", "root_path": ""}
        for route in self.routes:
            match, child = route.matches(scope)
            if match == Match.FULL:
                handler = PAGES[route.path]
                view = self._view(address.path, child["path_params"], query)
                every = REMOTE_SECONDS if self.aws.is_remote else NEARBY_SECONDS
                stream = events(partial(self._read, view, handler), every)
                return StreamingResponse(
                    stream,
                    media_type="text/event-stream",
                    headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
                )
        return Response("There is no such page.\n", 404)

    def _read(self, view: View, handler: Handler) -> tuple[dict[str, str], bool]:
        view.aws.gaps.clear()
        page = handler(view)
        if not isinstance(page, Page):
            return {}, False
        return self.renderer.blocks(page, view=view), page.is_live


def problem_page(problem: Problem, status: int = 502) -> Page:
    """What AWS said, for a reader."""
    if problem.is_missing:
        status = 404
    title = TITLES.get(status, "AWS did not answer as hoped")
    return Page("problem.html", title, {"problem": problem}, status=status)


async def _body(request: Request) -> bytes:
    """The body of a form, cut where no form of ours is so long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            break
    return bytes(body[:LARGEST_FORM])


async def _home(_: Request) -> Response:
    return RedirectResponse("/pipelines", 307)


def create_app(aws: Aws, access: Access, options: Options) -> Any:
    """The ASGI application."""
    studio = Studio(aws, access, options)
    changes = [Route(path, partial(studio.change, action=action), methods=["POST"]) for path, action in ACTIONS.items()]
    static = StaticFiles(directory=Path(__file__).parent / "static")
    routes = [Route("/", _home), *changes, *studio.routes, Route("/live", studio.live), Mount("/static", static)]

    async def missing(request: Request, _: Exception) -> Response:
        problem = Problem("Studio", "404", f"There is no page {request.url.path}.")
        view = studio._view(request.url.path, {}, request.query_params)
        return studio._html(problem_page(problem), view)

    async def broken(request: Request, error: Exception) -> Response:
        words = f"{type(error).__name__}: {error}. This is a fault of Studio, not of AWS; its output has the traceback."
        view = studio._view(request.url.path, {}, request.query_params)
        return studio._html(problem_page(Problem("Studio", "500", words), 500), view)

    return Guard(Starlette(routes=routes, exception_handlers={404: missing, 500: broken}), access)
