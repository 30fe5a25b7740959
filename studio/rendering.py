"""Templates to HTML. Everything is escaped; a page's blocks can be rendered alone, for what changes while one looks."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from studio import times
from studio.addresses import link, pipeline_path
from studio.charts import chart, number
from studio.pages.page import Page

HERE = Path(__file__).parent
MARKS = {
    "Succeeded": "succeeded",
    "Completed": "succeeded",
    "Approved": "succeeded",
    "Active": "succeeded",
    "InService": "succeeded",
    "Failed": "failed",
    "Rejected": "failed",
    "Executing": "running",
    "InProgress": "running",
    "Starting": "running",
    "Stopping": "running",
    "Stopped": "stopped",
    "CompletedWithFailures": "stopped",
    "PendingManualApproval": "pending",
    "Waiting": "waiting",
    "Skipped": "skipped",
    "Not run": "skipped",
}
"""How a state looks."""
WORDS = {"PendingManualApproval": "Pending approval", "CompletedWithFailures": "Completed with failures", "": "Defined"}


class Renderer:
    """Renders pages, and the blocks of pages; ``constants`` are words that all of them know."""

    def __init__(self, **constants: Any) -> None:
        self._constants = constants

    def page(self, page: Page, **common: Any) -> str:
        template = environment().get_template(page.template)
        return template.render(page=page, **self._constants, **common, **page.context)

    def blocks(self, page: Page, **common: Any) -> dict[str, str]:
        """The page's live blocks by name."""
        template = environment().get_template(page.template)
        context = template.new_context({"page": page, **self._constants, **common, **page.context})
        known = environment().get_template("base.html").blocks | template.blocks
        return {name: "".join(known[name](context)) for name in ("gaps", *page.blocks)}


@cache
def environment() -> Environment:
    """The templates, which are compiled once."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(asset=asset, link=link, pipeline_path=pipeline_path, line_chart=chart, mark=mark, moment=moment)
    made.filters.update(
        duration=times.duration, number=number, size=size, dollars=dollars, words=words, ellipsis=ellipsis, flow=flow
    )
    return made


@cache
def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so that browsers may keep it."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def mark(status: str) -> str:
    return MARKS.get(status, "waiting")


def words(status: str) -> str:
    return WORDS.get(status, status)


def moment(value: datetime | None = None) -> Markup:
    """A time as how long ago, with the exact time beside it."""
    if not value:
        return Markup("<span class=muted>–</span>")  # noqa: RUF001 - a dash for nothing
    return Markup('<time datetime="{}">{}</time> <small class="at">{}</small>').format(
        times.machine(value), times.ago(value), times.absolute(value)
    )


def size(count: float | None) -> str:
    if count is None:
        return ""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def dollars(value: float) -> str:
    """``$0.0123``; what is less than its last digit is not nothing."""
    return "<$0.0001" if 0 < value < 0.0001 else f"${value:,.4f}"


def ellipsis(text: str, length: int) -> str:
    """For where the whole text stands nearby, as in a title."""
    return text if len(text) <= length else text[: length - 1] + "…"


def flow(points: tuple[tuple[float, float], ...]) -> str:
    """An edge's points as an SVG path: straight within rows, an S between them."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if abs(to_x - x) < 0.05:
            path.append(f"V{to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(path)
