"""What a pipeline costs on AWS, estimated: instance hours of its jobs times a dated table of prices."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.definition import Parameter, Step

TABLE = Path(__file__).with_name("prices.json")
SECONDS = 3600.0
PROPORTIONAL = re.compile(r"ml\.[cmrt]\d[a-z]*")
SMALL_SIZES = {"large": 0.5, "medium": 0.25}


@functools.cache
def _table() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(TABLE.read_text())
    return document


@dataclass(frozen=True)
class StepCost:
    """One job: ``price`` in USD per instance and hour, None if the table lacks it; ``hours`` if it has run."""

    step: str
    instance: str
    count: int
    price: float | None
    hours: float | None = None
    cached: bool = False

    @property
    def hourly(self) -> float | None:
        """USD per hour of all its instances."""
        return None if self.price is None else self.price * self.count

    @property
    def dollars(self) -> float | None:
        """USD of the job; None before it has run, and where the price is not known."""
        return None if self.hourly is None or self.hours is None else self.hourly * self.hours


def hourly_price(instance: str) -> float | None:
    """USD per hour of an instance type; None if the table lacks it and no other size of a family without accelerators.

    Such sizes cost in proportion: a 2xlarge is two xlarge.
    """
    prices = _table()["prices"]
    if instance in prices:
        return float(prices[instance])
    family, _, size = instance.rpartition(".")
    known = [(other, price) for other, price in prices.items() if other.rpartition(".")[0] == family]
    if not PROPORTIONAL.fullmatch(family) or _xlarges(size) is None or not known:
        return None
    other, price = known[0]
    return float(price) / (_xlarges(other.rpartition(".")[2]) or 1.0) * (_xlarges(size) or 0.0)


def _xlarges(size: str) -> float | None:
    match = re.fullmatch(r"(\d*)xlarge", size)
    return SMALL_SIZES.get(size) if match is None else float(match[1] or 1)


def planned_costs(steps: Iterable[Step], parameters: Iterable[Parameter]) -> list[StepCost]:
    """Each job of a definition with its price per hour, by the defaults of the parameters."""
    defaults = {f"Parameters.{parameter.name}": parameter.default for parameter in parameters}
    found = []
    for step in steps:
        cluster = cluster_of(step.body)
        if cluster:
            instance, count = (_resolve(value, defaults) for value in cluster)
            is_count = isinstance(count, int) or str(count).isdecimal()
            found.append(StepCost(step.name, str(instance), int(count) if is_count else 1, hourly_price(str(instance))))
    return found


def job_cost(step: str, job: dict[str, Any], *, cached: bool = False) -> StepCost | None:
    """The cost of a job that has run, from its Describe response; None if it has no instances."""
    cluster = cluster_of({"Arguments": job})
    if cluster is None:
        return None
    instance, count = cluster
    billed = job.get("BillableTimeInSeconds") or _elapsed(job)
    hours = 0.0 if cached else billed / SECONDS
    return StepCost(step, str(instance), int(count), hourly_price(str(instance)), hours, cached)


def cluster_of(body: dict[str, Any]) -> tuple[Any, Any] | None:
    """Instance type and count of a job, from its request or its description."""
    arguments = body.get("Arguments") or {}
    if "TrainingJobDefinition" in arguments:
        arguments = arguments["TrainingJobDefinition"]
    places = (
        (arguments.get("ProcessingResources") or {}).get("ClusterConfig"),
        arguments.get("ResourceConfig"),
        arguments.get("TransformResources"),
    )
    resources = next((place for place in places if place and place.get("InstanceType")), None)
    return (resources["InstanceType"], resources.get("InstanceCount", 1)) if resources else None


def lines(costs: list[StepCost]) -> list[str]:
    """The costs as a table with where its figures come from."""
    from pipelines.tables import Rows, render

    rows: Rows = [("STEP", "INSTANCE", "USD/HOUR", "HOURS", "USD")]
    for cost in costs:
        hourly = "not in the table" if cost.hourly is None else f"{cost.hourly:.4g}"
        hours = "" if cost.hours is None else "cached" if cost.cached else f"{cost.hours:.4f}"
        dollars = "" if cost.dollars is None else f"{cost.dollars:.4f}"
        rows.append((cost.step, f"{cost.count} x {cost.instance}", hourly, hours, dollars))
    table = _table()
    told = [cost.dollars for cost in costs if cost.dollars is not None]
    total = [f"Total  {sum(told):.4f} USD"] if told else []
    unknown = sum(cost.price is None for cost in costs)
    missing = [f"{unknown} jobs are on instances that the table lacks; they are not in the total."] if unknown else []
    source = f"Estimate: prices of {table['as_of']} ({table['region']}), {table['source']}."
    return [*render(rows), *total, *missing, source, _locally(costs)]


def expected_costs(planned: Iterable[StepCost], past: Iterable[StepCost]) -> list[StepCost]:
    """Costs of a run to come whose jobs take as long as those of a past one; a cached job's hours are not known."""
    hours = {cost.step: cost.hours for cost in past if not cost.cached}
    return [replace(cost, hours=hours.get(cost.step)) for cost in planned]


def _locally(costs: list[StepCost]) -> str:
    """What the same run costs on this machine."""
    hours = [cost.hours for cost in costs if cost.hours is not None]
    time = f"{sum(hours) * SECONDS:.1f} seconds of jobs" if hours else "its time"
    return f"On the emulator the same run costs 0.0000 USD and {time}."


def as_document(costs: list[StepCost]) -> dict[str, Any]:
    """The costs and the table they are estimated by."""
    table = {key: _table()[key] for key in ("as_of", "region", "currency", "source")}
    items = [vars(cost) | {"dollars": cost.dollars} for cost in costs]
    return {"estimate": True, "prices": table, "steps": items, "local": {"dollars": 0.0}}


def _resolve(value: Any, defaults: dict[str, Any]) -> Any:
    return defaults.get(value["Get"]) if isinstance(value, dict) and "Get" in value else value


def _elapsed(job: dict[str, Any]) -> float:
    begun = job.get("TrainingStartTime") or job.get("ProcessingStartTime") or job.get("TransformStartTime")
    ended = job.get("TrainingEndTime") or job.get("ProcessingEndTime") or job.get("TransformEndTime")
    return float((ended - begun).total_seconds()) if begun and ended else 0.0
