"""One box for everything: pipelines, executions, jobs and models by name, or by an ARN or an S3 URI that is pasted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

from starlette.responses import RedirectResponse, Response

from studio.addresses import link, page_of
from studio.jobs import KINDS, list_jobs
from studio.pages.page import Aws, Page, View
from studio.pages.pipelines import every_name
from studio.registry import package_arn

MOST = 20
MOST_PIPELINES = 50
"""Pipelines whose executions are looked through."""
Hit = tuple[str, str, str]
"""What it is, its name, its page."""


def search(view: View) -> Page | Response:
    text = view.get("q").strip()
    target = page_of(text)
    if target:
        return RedirectResponse(target, 303)
    hits: list[Hit] = []
    if text:
        tasks: list[Callable[[], list[Hit]]] = [partial(_pipelines, view.aws, text.lower())]
        tasks += [partial(_models, view.aws, text), partial(_versions, view.aws, text)]
        tasks += [partial(_jobs, view.aws, slug, text) for slug in KINDS]
        tasks += [partial(_buckets, view.aws, text.lower()), partial(_executions, view.aws, text.lower())]
        nothing: list[Hit] = []
        with ThreadPoolExecutor(max_workers=8) as pool:
            hits = [hit for found in pool.map(lambda task: view.aws.optional(task, nothing), tasks) for hit in found]
    return Page("search.html", "Search", {"text": text, "hits": hits})


def _pipelines(aws: Aws, text: str) -> list[Hit]:
    names = [name for name in every_name(aws) if text in name.lower()]
    return [("Pipeline", name, link("pipelines", name)) for name in names[:MOST]]


def _executions(aws: Aws, text: str) -> list[Hit]:
    """Executions by name or identifier, of the newest hundred of each of the newest pipelines."""

    def of(name: str) -> list[Hit]:
        page = aws.sagemaker("list_pipeline_executions", PipelineName=name, MaxResults=100)
        return [_execution(name, item) for item in page["PipelineExecutionSummaries"] if text in _said(item)]

    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(of, list(every_name(aws, MOST_PIPELINES)))
        return list(islice((hit for some in found for hit in some), MOST))


def _said(item: dict[str, Any]) -> str:
    return f"{item['PipelineExecutionArn'].rsplit('/', 1)[-1]} {item.get('PipelineExecutionDisplayName', '')}".lower()


def _execution(pipeline: str, item: dict[str, Any]) -> Hit:
    identifier = item["PipelineExecutionArn"].rsplit("/", 1)[-1]
    title = item.get("PipelineExecutionDisplayName") or identifier
    return "Execution", f"{pipeline} · {title}", link("pipelines", pipeline, "executions", identifier)


def _buckets(aws: Aws, text: str) -> list[Hit]:
    names = [bucket["Name"] for bucket in aws.s3("list_buckets").get("Buckets", []) if text in bucket["Name"]]
    return [("Bucket", name, link("s3", name)) for name in names[:MOST]]


def _versions(aws: Aws, text: str) -> list[Hit]:
    """``group/3`` is a version of a group."""
    group, _, version = text.rpartition("/")
    if not group or not version.isdigit():
        return []
    arn = package_arn(aws, group, int(version))
    aws.sagemaker("describe_model_package", ModelPackageName=arn)
    return [("Model version", text, link("models", group, version))]


def _models(aws: Aws, text: str) -> list[Hit]:
    page = aws.sagemaker("list_model_package_groups", NameContains=text, MaxResults=MOST)
    names = [item["ModelPackageGroupName"] for item in page["ModelPackageGroupSummaryList"]]
    return [("Model group", name, link("models", name)) for name in names]


def _jobs(aws: Aws, slug: str, text: str) -> list[Hit]:
    kind = KINDS[slug]
    items, _ = list_jobs(aws, kind, contains=text, status=None, order="newest", after=None, limit=MOST)
    return [(f"{kind.title} job", item.name, link("jobs", slug, item.name)) for item in items]
