"""What a job cost, where the reader has given the price of its instance type; nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from studio.job_view import JobView
from studio.times import between


def read_prices(path: Path) -> dict[str, float]:
    """US dollars an hour by instance type, from a JSON object of them, or from one that has them as ``prices``.

    Raises:
        ValueError: the file is something else.
    """
    document = json.loads(path.read_text())
    if isinstance(document, dict) and isinstance(document.get("prices"), dict):
        document = document["prices"]
    if not isinstance(document, dict) or not all(isinstance(price, int | float) for price in document.values()):
        raise ValueError(f'{path}: a JSON object of prices is needed, as {{"ml.m5.large": 0.115}}.')
    return {name: float(price) for name, price in document.items()}


def cost(job: JobView, prices: Mapping[str, float]) -> float | None:
    """Dollars: billable seconds times instances times price; None if the price or the time is not known."""
    price = prices.get(job.instance.split(",")[0])
    seconds = job.billable_seconds if job.billable_seconds is not None else between(job.started, job.ended)
    return None if price is None or seconds is None else price * seconds / 3600 * job.instance_count
