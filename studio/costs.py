"""What a job cost, estimated: hours of its instances times the prices of a dated table, or of the reader's own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from studio.job_view import JobView
from studio.times import between

TABLE = Path(__file__).with_name("prices.json")
"""The table that comes with studio: unofficial, on-demand, of one region."""
_PROPORTIONAL = re.compile(r"ml\.[cmrt]\d[a-z]*")
"""Families without accelerators, whose sizes cost in proportion: a 2xlarge is two xlarge."""
_SMALL = {"medium": 0.25, "large": 0.5}


@dataclass(frozen=True)
class Prices:
    """US dollars an hour by instance type, and where they are from."""

    dollars: dict[str, float] = field(default_factory=dict)
    source: str = ""

    def hourly(self, instance: str) -> float | None:
        """None if the table lacks it, and no other size tells it."""
        if instance in self.dollars:
            return self.dollars[instance]
        family, _, size = instance.rpartition(".")
        wanted = _xlarges(size)
        if wanted is None or not _PROPORTIONAL.fullmatch(family):
            return None
        for other, price in self.dollars.items():
            known, _, known_size = other.rpartition(".")
            if known == family and (count := _xlarges(known_size)):
                return price / count * wanted
        return None


def _xlarges(size: str) -> float | None:
    match = re.fullmatch(r"(\d*)xlarge", size)
    return _SMALL.get(size) if match is None else float(match[1] or 1)


def read_prices(path: Path) -> Prices:
    """From a JSON object of dollars by type, or from one that has them as ``prices`` beside their date and region.

    Raises:
        ValueError: the file is something else.
    """
    document = json.loads(path.read_text())
    source = path.name
    if isinstance(document, dict) and isinstance(document.get("prices"), dict):
        said = [str(document[name]).split(" (")[0] for name in ("as_of", "region") if document.get(name)]
        source = ", ".join(said) or source
        document = document["prices"]
    if not isinstance(document, dict) or not all(isinstance(price, int | float) for price in document.values()):
        raise ValueError(f'{path}: a JSON object of prices is needed, as {{"ml.m5.large": 0.115}}.')
    return Prices({name: float(price) for name, price in document.items()}, source)


@cache
def usual_prices() -> Prices:
    """The prices of the table that comes with studio."""
    return read_prices(TABLE)


def cost(job: JobView, prices: Prices) -> float | None:
    """Dollars: billable seconds times the price of each instance; None if a price or the time is not known."""
    hourly = [prices.hourly(instance) for instance, _ in job.machines]
    seconds = job.billable_seconds if job.billable_seconds is not None else between(job.started, job.ended)
    if not hourly or None in hourly or seconds is None:
        return None
    together = sum((price or 0.0) * count for price, (_, count) in zip(hourly, job.machines, strict=True))
    return together * seconds / 3600
