"""One box for everything: pipelines, executions, jobs and models by name, or by an ARN or an S3 URI that is pasted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from starlette.responses import RedirectResponse, Response

from studio.jobs import KINDS, list_jobs
from studio.objects import split_uri
from studio.pages.page import Aws, Page, Problem, View, link, pipeline_path
from studio.pages.pipelines import every_name

MOST = 20
Hit = tuple[str, str, str]
"""What it is, its name, its page."""


def search(view: View) -> Page | Response:
    text = view.get("q").strip()
    target = known_address(text)
    if target:
        return RedirectResponse(target, 303)
    hits: list[Hit] = []
    if text:
        lower = text.lower()
        with ThreadPoolExecutor(max_workers=8) as pool:
            tasks = [pool.submit(_pipelines, view.aws, lower), pool.submit(_models, view.aws, text)]
            tasks += [pool.submit(_jobs, view.aws, slug, text) for slug in KINDS]
            tasks.append(pool.submit(_executions, view.aws, lower))
            hits = [hit for task in tasks for hit in task.result()]
    return Page("search.html", "Search", {"text": text, "hits": hits})


def known_address(text: str) -> str | None:
    """The page of an ARN or an S3 URI."""
    if text.startswith("s3://"):
        try:
            bucket, key = split_uri(text)
        except KeyError:
            return None
        return link("s3", bucket, prefix=key)
    if not text.startswith("arn:") or text.count(":") < 5:
        return None
    kind, _, rest = text.split(":", 5)[5].partition("/")
    match kind:
        case "pipeline" if rest:
            return pipeline_path(text)
        case "model-package" if rest:
            return link("models", *rest.split("/"))
        case "model-package-group" if rest:
            return link("models", rest)
        case "processing-job" | "training-job" | "transform-job" if rest:
            return link("jobs", kind.removesuffix("-job"), rest)
    return None


def _pipelines(aws: Aws, text: str) -> list[Hit]:
    names = [name for name in every_name(aws) if text in name.lower()]
    return [("Pipeline", name, link("pipelines", name)) for name in names[:MOST]]


def _executions(aws: Aws, text: str) -> list[Hit]:
    """Executions by name or identifier, of the newest hundred of each pipeline."""
    hits: list[Hit] = []
    for name in every_name(aws, 50):
        page = aws.sagemaker("list_pipeline_executions", PipelineName=name, MaxResults=100)
        for item in page["PipelineExecutionSummaries"]:
            identifier, title = item["PipelineExecutionArn"].rsplit("/", 1)[-1], item["PipelineExecutionDisplayName"]
            if text in identifier.lower() or text in title.lower():
                hits.append(("Execution", f"{name} · {title}", link("pipelines", name, "executions", identifier)))
            if len(hits) >= MOST:
                return hits
    return hits


def _models(aws: Aws, text: str) -> list[Hit]:
    page = aws.sagemaker("list_model_package_groups", NameContains=text, MaxResults=MOST)
    names = [item["ModelPackageGroupName"] for item in page["ModelPackageGroupSummaryList"]]
    return [("Model group", name, link("models", name)) for name in names]


def _jobs(aws: Aws, slug: str, text: str) -> list[Hit]:
    kind = KINDS[slug]
    try:
        items, _ = list_jobs(aws, kind, contains=text, status=None, order="newest", after=None, limit=MOST)
    except Problem as problem:
        if problem.is_unserved:
            return []
        raise
    return [(f"{kind.title} job", item.name, link("jobs", slug, item.name)) for item in items]
