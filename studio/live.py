"""Server-sent events: while something runs, the parts of a page that changed are sent to whoever looks at it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable

from studio.aws import Problem

HEARTBEAT_SECONDS = 15.0
"""A comment after so long a silence, so that a connection that broke is noticed."""
PATIENCE = 10
"""Failed readings in a row after which a stream ends; the browser then asks again."""

Read = Callable[[], tuple[dict[str, str], bool]]
"""Reads the page's blocks again, and whether it still lives; blocking."""
log = logging.getLogger(__name__)


async def events(read: Read, every: float) -> AsyncIterator[str]:
    """The changed blocks as events ``patch``, and ``end`` when nothing will change any more."""
    sent: dict[str, str] = {}
    silent, failures = 0.0, 0
    yield "retry: 2000\n\n"
    while True:
        try:
            blocks, is_live = await asyncio.to_thread(read)
            failures = 0
        except Problem as problem:
            failures += 1
            if failures >= PATIENCE or problem.is_missing:
                return
            blocks, is_live = {}, True
        changed = {name: html for name, html in blocks.items() if sent.get(name) != html}
        if changed:
            sent |= changed
            silent = 0.0
            yield event("patch", changed)
        if not is_live:
            yield event("end", {})
            return
        await asyncio.sleep(every)
        silent += every
        if silent >= HEARTBEAT_SECONDS:
            silent = 0.0
            yield ": still here\n\n"


def event(name: str, data: dict[str, str]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
