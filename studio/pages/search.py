"""One box for everything: whatever has a page here, by name, or by an ARN or an S3 URI that is pasted."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from studio.addresses import page_of
from studio.finding import MOST_BUCKETS, MOST_ENTITIES, find_everything
from studio.pages.page import Page, View


def search(view: View) -> Page | Response:
    text = view.get("q").strip()
    target = page_of(text)
    if target:
        return RedirectResponse(target, 303)
    context = {
        "text": text,
        "hits": find_everything(view.aws, text) if text else [],
        "entities": MOST_ENTITIES,
        "buckets": MOST_BUCKETS,
    }
    return Page("search.html", "Search", context)
