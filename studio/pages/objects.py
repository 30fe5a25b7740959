"""Objects in S3: buckets, folders, and previews of what is in them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from studio.objects import IMAGES, Entry, list_folder, preview
from studio.pages.page import Page, View

CHUNK = 1 << 18


def buckets(view: View) -> Page:
    nothing: dict[str, Any] = {}
    listed = view.aws.optional(lambda: view.aws.s3("list_buckets"), nothing)
    return Page("buckets.html", "Objects", {"items": listed.get("Buckets", [])})


def folder(view: View) -> Page:
    bucket, prefix = view.parts["bucket"], view.get("prefix")
    entries, after = list_folder(view.aws, bucket, prefix, view.get("after") or None)
    context: dict[str, Any] = {
        "bucket": bucket,
        "prefix": prefix,
        "crumbs": crumbs(prefix),
        "entries": entries,
        "next": after,
    }
    context["is_prefix"] = bool(prefix) and not prefix.endswith("/")
    return Page("folder.html", prefix or bucket, context)


def crumbs(prefix: str) -> list[Entry]:
    """The folders on the way to a prefix, each with its own."""
    parts = prefix.split("/")
    return [Entry("/".join(parts[: i + 1]) + "/", part) for i, part in enumerate(parts[:-1])]


def item(view: View) -> Page:
    bucket, key = view.parts["bucket"], view.get("key")
    head = view.aws.s3("head_object", Bucket=bucket, Key=key)
    context = {
        "bucket": bucket,
        "key": key,
        "crumbs": crumbs(key),
        "head": head,
        "preview": preview(view.aws, bucket, key, head["ContentLength"]),
        "command": f"aws s3 cp {shlex.quote(f's3://{bucket}/{key}')} .",
    }
    return Page("object.html", key, context)


def raw(view: View) -> Response:
    """The object itself: pictures to be shown, anything else only to be saved, and nothing in it may run."""
    bucket, key = view.parts["bucket"], view.get("key")
    answer = view.aws.s3("get_object", Bucket=bucket, Key=key)
    name = quote(key.rsplit("/", 1)[-1], safe="")
    picture = IMAGES.get(key.rsplit(".", 1)[-1].lower())
    disposition = "inline" if picture and view.get("inline") else "attachment"
    headers = {
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Length": str(answer["ContentLength"]),
    }
    return StreamingResponse(_chunks(answer["Body"]), media_type=picture or "application/octet-stream", headers=headers)


def _chunks(body: Any) -> Iterator[bytes]:
    with body:
        yield from body.iter_chunks(CHUNK)
