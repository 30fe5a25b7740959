"""Addresses of pages: built from parts, and found for an ARN or an S3 URI."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_JOBS = {
    "processing-job": "processing",
    "training-job": "training",
    "transform-job": "transform",
    "hyper-parameter-tuning-job": "tuning",
    "automl-job": "automl",
}
_TRACED = ("artifact", "action", "context", "experiment-trial-component", "model", "model-package")
"""What has no page of its own but where it comes from; a model package only outside of groups."""


def link(*parts: str, **query: Any) -> str:
    """A path of escaped parts with a query; members that are None or empty are left out."""
    items = [(name, value) for name, value in query.items() if value not in (None, "")]
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    return path + (f"?{urlencode(items, doseq=True)}" if items else "")


def pipeline_path(arn: str) -> str:
    """The page of a pipeline or an execution, from its ARN."""
    resource = arn.split(":", 5)[-1].split("/")
    if len(resource) >= 4:
        return link("pipelines", resource[1], "executions", resource[3])
    return link("pipelines", resource[1])


def split_uri(uri: str) -> tuple[str, str]:
    """``s3://bucket/key`` → (bucket, key).

    Raises:
        KeyError: it is no S3 URI.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise KeyError(uri)
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")


def page_of(text: str) -> str | None:
    """The page of what an ARN or an S3 URI names; None if there is none."""
    if text.startswith("s3://"):
        try:
            bucket, key = split_uri(text)
        except KeyError:
            return None
        return link("s3", bucket, prefix=key)
    if not text.startswith("arn:") or text.count(":") < 5:
        return None
    kind, _, rest = text.split(":", 5)[5].partition("/")
    return _page_of_resource(text, kind, rest) if rest else None


def _page_of_resource(arn: str, kind: str, rest: str) -> str | None:
    match kind:
        case "pipeline":
            return pipeline_path(arn)
        case "model-package" if "/" in rest:
            return link("models", *rest.split("/"))
        case "model-package-group":
            return link("models", rest)
        case _ if kind in _JOBS:
            return link("jobs", _JOBS[kind], rest)
        case _ if kind in _TRACED:
            return link("lineage", of=arn)
    return None
