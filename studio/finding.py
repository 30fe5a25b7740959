"""What is found for a few words: a function for each kind of thing, each of few calls, and each may fail by itself.

Where AWS searches by itself (NameContains, Search) everything is looked through. Lineage entities are listed only, so
the newest are; of objects S3 knows the beginnings of keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

from studio.addresses import link, page_of
from studio.aws import Aws
from studio.jobs import KINDS, list_jobs
from studio.registry import APPROVALS, package_arn

MOST = 20
"""Hits of a kind."""
MOST_PIPELINES = 50
"""Pipelines whose newest executions are looked through for what Search does not find."""
MOST_ENTITIES = 300
"""Artifacts, actions and contexts that are looked through, of each the newest."""
MOST_BUCKETS = 20
KEYS_A_BUCKET = 5
STATUSES = ("Executing", "Stopping", "Stopped", "Failed", "Succeeded")
_NAME = re.compile(r"[a-zA-Z0-9-]{1,63}")
"""What AWS takes for a part of a name; nothing else is in any."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Hit(NamedTuple):
    """``kind`` is what it is, ``href`` its page."""

    kind: str
    title: str
    href: str
    note: str = ""


Finder = Callable[[Aws, str], list[Hit]]


def find_everything(aws: Aws, text: str) -> list[Hit]:
    """The hits of every kind, each once; what AWS refuses is among its ``gaps``."""
    by_name: list[Finder] = [*(partial(_jobs, slug) for slug in KINDS), _groups, _packages, _models]
    finders: list[Finder] = [_pipelines, _executions, _recent_executions]
    finders += by_name if _NAME.fullmatch(text) else []
    finders += [_versions, _buckets, _objects, _artifacts, _components]
    finders += [partial(_entities, kind) for kind in ("Action", "Context")]
    nothing: list[Hit] = []
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = pool.map(lambda finder: aws.optional(partial(finder, aws, text), nothing), finders)
        return list({hit.href: hit for hit in reversed(list(chain(*found)))}.values())[::-1]


def _pipelines(aws: Aws, text: str) -> list[Hit]:
    names = (name for name in _every_name(aws) if text.lower() in name.lower())
    return [Hit("Pipeline", name, link("pipelines", name)) for name in islice(names, MOST)]


def _every_name(aws: Aws, most: int = 2000) -> Iterator[str]:
    """The names of all pipelines: ListPipelines looks for the beginnings of names only."""
    return (
        item["PipelineName"] for item in islice(aws.every("list_pipelines", "PipelineSummaries", MaxResults=100), most)
    )


def _executions(aws: Aws, text: str) -> list[Hit]:
    """All executions, by display name, by the beginning of an identifier, or by status."""
    status = next((status for status in STATUSES if status.lower() == text.lower()), None)
    wanted = {"PipelineExecutionDisplayName": text, "PipelineExecutionArn": f"/execution/{text}"}
    filters = [_filter(name, value) for name, value in wanted.items()]
    if status:
        filters.append(_filter("PipelineExecutionStatus", status, "Equals"))
    found = _search(aws, "PipelineExecution", filters)
    return [_execution(record["PipelineExecution"]) for record in found if "PipelineExecution" in record]


def _recent_executions(aws: Aws, text: str) -> list[Hit]:
    """By any part of the identifier, of the newest hundred of each of the newest pipelines."""

    def of(name: str) -> list[Hit]:
        page = aws.sagemaker("list_pipeline_executions", PipelineName=name, MaxResults=100)
        return [_execution(item) for item in page["PipelineExecutionSummaries"] if text.lower() in _said(item)]

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(islice(chain(*pool.map(of, list(_every_name(aws, MOST_PIPELINES)))), MOST))


def _said(item: dict[str, Any]) -> str:
    return f"{item['PipelineExecutionArn'].rsplit('/', 1)[-1]} {item.get('PipelineExecutionDisplayName', '')}".lower()


def _execution(item: dict[str, Any]) -> Hit:
    _, pipeline, _, identifier = item["PipelineExecutionArn"].split(":", 5)[-1].split("/")
    title = item.get("PipelineExecutionDisplayName") or identifier
    href = link("pipelines", pipeline, "executions", identifier)
    return Hit("Execution", f"{pipeline} · {title}", href, item.get("PipelineExecutionStatus", ""))


def _jobs(slug: str, aws: Aws, text: str) -> list[Hit]:
    kind = KINDS[slug]
    items, more = list_jobs(aws, kind, contains=text, status=None, order="newest", after=None, limit=MOST)
    hits = [Hit(f"{kind.title} job", item.name, link("jobs", slug, item.name), item.status) for item in items]
    return hits + ([Hit(f"{kind.title} job", "All of this name", link("jobs", kind=slug, q=text))] if more else [])


def _groups(aws: Aws, text: str) -> list[Hit]:
    page = aws.sagemaker("list_model_package_groups", NameContains=text, MaxResults=MOST)
    names = [item["ModelPackageGroupName"] for item in page["ModelPackageGroupSummaryList"]]
    hits = [Hit("Model group", name, link("models", name)) for name in names]
    return hits + ([Hit("Model group", "All of this name", link("models", q=text))] if page.get("NextToken") else [])


def _versions(aws: Aws, text: str) -> list[Hit]:
    """``group/3`` is a version of a group."""
    group, _, version = text.rpartition("/")
    if not group or not version.isdecimal():
        return []
    arn = package_arn(aws, group, int(version))
    aws.sagemaker("describe_model_package", ModelPackageName=arn)
    return [Hit("Model version", text, link("models", group, version))]


def _packages(aws: Aws, text: str) -> list[Hit]:
    """Model packages within groups and outside of them, by name or by approval."""
    approval = next((approval for approval in APPROVALS if approval.lower() == text.lower()), None)
    page = aws.sagemaker(
        "list_model_packages",
        NameContains=None if approval else text,
        ModelApprovalStatus=approval,
        ModelPackageType="Both",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=MOST,
    )
    return [_package(item["ModelPackageArn"], item) for item in page["ModelPackageSummaryList"]]


def _package(arn: str, item: dict[str, Any]) -> Hit:
    title, status = arn.split(":model-package/", 1)[-1], item.get("ModelApprovalStatus", "")
    if "/" in title:
        return Hit("Model version", title, link("models", *title.split("/")), status)
    return Hit("Model package", title, link("lineage", of=arn), status)


def _models(aws: Aws, text: str) -> list[Hit]:
    page = aws.sagemaker("list_models", NameContains=text, MaxResults=MOST)
    return [Hit("Model", item["ModelName"], link("lineage", of=item["ModelArn"])) for item in page["Models"]]


def _buckets(aws: Aws, text: str) -> list[Hit]:
    names = [name for name in _bucket_names(aws) if text.lower() in name]
    return [Hit("Bucket", name, link("s3", name)) for name in names[:MOST]]


def _bucket_names(aws: Aws) -> list[str]:
    return [bucket["Name"] for bucket in aws.s3("list_buckets").get("Buckets", [])]


def _objects(aws: Aws, text: str) -> list[Hit]:
    """Objects whose key begins so, in every bucket; ``bucket/key`` looks in that one."""
    bucket, slash, key = text.partition("/")
    nothing: list[str] = []
    names = aws.optional(lambda: _bucket_names(aws), nothing)
    places = [(name, text, KEYS_A_BUCKET) for name in names[:MOST_BUCKETS]]
    if slash and (bucket in names or (not names and _BUCKET.fullmatch(bucket))):
        places.insert(0, (bucket, key, MOST))
    none: list[Hit] = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda place: aws.optional(partial(_keys, aws, *place), none), places)
        return list(islice(chain(*found), MOST))


def _keys(aws: Aws, bucket: str, prefix: str, most: int) -> list[Hit]:
    page = aws.s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=most)
    keys = [item["Key"] for item in page.get("Contents", [])]
    hits = [Hit("Object", f"{bucket}/{key}", link("s3", bucket, "object", key=key)) for key in keys]
    if page.get("IsTruncated"):
        folder = prefix.rpartition("/")[0]
        hits.append(Hit("Folder", f"{bucket}/{folder}", link("s3", bucket, prefix=f"{folder}/" if folder else "")))
    return hits


def _artifacts(aws: Aws, text: str) -> list[Hit]:
    """By name or by source, among the newest; by the whole source among all."""
    exact = aws.sagemaker("list_artifacts", SourceUri=text, MaxResults=MOST)["ArtifactSummaries"]
    listed = _newest(aws, "list_artifacts", "ArtifactSummaries")
    found = (item for item in chain(exact, listed) if item in exact or _matches(item, "Artifact", text))
    return [_entity("Artifact", item) for item in islice(found, MOST)]


def _entities(kind: str, aws: Aws, text: str) -> list[Hit]:
    listed = _newest(aws, f"list_{kind.lower()}s", f"{kind}Summaries")
    return [_entity(kind, item) for item in islice((i for i in listed if _matches(i, kind, text)), MOST)]


def _newest(aws: Aws, method: str, member: str) -> Iterator[dict[str, Any]]:
    items = aws.every(method, member, SortBy="CreationTime", SortOrder="Descending", MaxResults=100)
    return islice(items, MOST_ENTITIES)


def _matches(item: dict[str, Any], kind: str, text: str) -> bool:
    source = (item.get("Source") or {}).get("SourceUri", "")
    return text.lower() in f"{item.get(f'{kind}Name', '')} {source}".lower()


def _entity(kind: str, item: dict[str, Any]) -> Hit:
    arn, source = item[f"{kind}Arn"], (item.get("Source") or {}).get("SourceUri", "")
    title = item.get(f"{kind}Name") or source or arn.rsplit("/", 1)[-1]
    return Hit(kind, title, page_of(arn) or link("lineage", of=arn), item.get(f"{kind}Type") or "")


def _components(aws: Aws, text: str) -> list[Hit]:
    filters = [_filter(name, text) for name in ("TrialComponentName", "DisplayName")]
    found = [record["TrialComponent"] for record in _search(aws, "ExperimentTrialComponent", filters)]
    return [_entity("TrialComponent", item)._replace(kind="Trial component") for item in found]


def _filter(name: str, value: str, operator: str = "Contains") -> dict[str, str]:
    return {"Name": name, "Operator": operator, "Value": value}


def _search(aws: Aws, resource: str, filters: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The newest records of which one of the filters holds."""
    answer = aws.sagemaker(
        "search",
        Resource=resource,
        SearchExpression={"Filters": filters, "Operator": "Or"},
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=MOST,
    )
    return list(answer["Results"])
