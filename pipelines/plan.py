"""``pipelines plan``: what an upsert would change, what it costs in caches and dollars, and what it would upload."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipelines.build import BuiltPipeline
from pipelines.connection import Connection
from pipelines.cost import StepCost, planned_costs
from pipelines.definition import parameters, steps
from pipelines.deployed import deployed_tags, describe
from pipelines.difference import Change, Field, compare, lost_caches, shown
from pipelines.record import unstamped
from pipelines.storage import stored_sizes

Action = Literal["create", "update", "unchanged"]
SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LONGEST_VALUE = 100


@dataclass(frozen=True)
class Plan:
    """What an upsert would do. ``caches`` are the steps that lose theirs, ``prices`` the jobs of another price."""

    pipeline: str
    environment: str
    action: Action
    changes: tuple[Change, ...]
    caches: dict[str, str]
    assets: dict[str, int]
    prices: tuple[str, ...]

    @property
    def is_change(self) -> bool:
        """Whether an upsert would write anything."""
        return self.action != "unchanged" or bool(self.assets)


def make_plan(built: BuiltPipeline, connection: Connection) -> Plan:
    """Compare a build with what its environment has; reads only."""
    environment = connection.target.environment
    present = stored_sizes(connection, environment.bucket, f"{built.name}/assets/")
    assets = {
        asset["key"]: asset["size"] for asset in built.manifest["assets"] if present.get(asset["key"]) != asset["size"]
    }
    deployed = describe(connection, built.deployed_name)
    old = unstamped(json.loads(deployed["PipelineDefinition"])) if deployed else {}
    changes = compare(old, built.definition)
    if deployed:
        changes += _setting_changes(deployed, connection)
    action: Action = "create" if deployed is None else "update" if changes else "unchanged"
    caches = lost_caches(old, built.definition) if old else {}
    prices = tuple(_price_changes(old, built.definition)) if old else ()
    return Plan(built.deployed_name, environment.name, action, tuple(changes), caches, assets, prices)


def _setting_changes(deployed: dict[str, Any], connection: Connection) -> Iterator[Change]:
    """Role, parallelism and tags; those that the environment does not speak of are kept."""
    environment = connection.target.environment
    if deployed["RoleArn"] != environment.role:
        yield Change("changed", "role", "", (Field("RoleArn", deployed["RoleArn"], environment.role),))
    parallel = (deployed.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
    if environment.parallelism and parallel != environment.parallelism:
        field = Field("MaxParallelExecutionSteps", parallel, environment.parallelism)
        yield Change("changed", "parallelism", "", (field,))
    if environment.tags:
        present = deployed_tags(connection, deployed["PipelineArn"])
        for key, value in environment.tags.items():
            if present.get(key) != value:
                kind: Literal["changed", "added"] = "changed" if key in present else "added"
                yield Change(kind, "tag", key, (Field("Value", present.get(key), value),))


def _price_changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Jobs that come, go, or run on other instances than before, each with what that costs per hour."""
    before, after = (_costs(definition) for definition in (old, new))
    for step in dict.fromkeys([*before, *after]):
        left, right = before.get(step), after.get(step)
        if left == right:
            continue
        prices = [cost.hourly if cost else 0.0 for cost in (left, right)]
        told = [f"{cost.count} x {cost.instance}" if cost else "(none)" for cost in (left, right)]
        delta = "price unknown" if None in prices else f"{(prices[1] or 0) - (prices[0] or 0):+.4g} USD per hour"
        yield f"{step}: {told[0]} -> {told[1]}, {delta} (estimate)"


def _costs(definition: dict[str, Any]) -> dict[str, StepCost]:
    found = planned_costs(steps(definition), parameters(definition)) if definition.get("Steps") else []
    return {cost.step: cost for cost in found}


def as_text(plan: Plan) -> list[str]:
    """Lines for a terminal."""
    lines = [f"{plan.pipeline} in {plan.environment}: {_headline(plan)}"]
    for change in plan.changes:
        lines.append(f"  {SIGNS[change.kind]} {_label(change)}")
        lines += [f"      {field.path}: {_short(field.old)} -> {_short(field.new)}" for field in change.fields]
    lines += [f"  ! {name} loses its cache: {reason}" for name, reason in plan.caches.items()]
    lines += [f"  $ {line}" for line in plan.prices]
    lines += [f"  ^ {key}  {size} bytes" for key, size in sorted(plan.assets.items())]
    return lines


def as_markdown(plan: Plan) -> list[str]:
    """Lines for a pull request."""
    lines = [f"### Pipeline `{plan.pipeline}` in `{plan.environment}`: {_headline(plan)}", ""]
    rows = [
        f"| {SIGNS[change.kind]} | {_label(change)} | {_code(field.path)} | {_cell(field.old)} | {_cell(field.new)} |"
        for change in plan.changes
        for field in change.fields or (Field("", None, None),)
    ]
    if rows:
        lines += ["| | what | field | deployed | built |", "|---|---|---|---|---|", *rows, ""]
    lines += [f"- **{name}** loses its cache: {reason}" for name, reason in plan.caches.items()]
    lines += [f"- {line}" for line in plan.prices]
    if plan.assets:
        lines.append(f"- {len(plan.assets)} assets to upload, {sum(plan.assets.values()):,} bytes")
    return lines


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan as one object."""
    return asdict(plan)


def difference_lines(changes: list[Change]) -> list[str]:
    """The changes between two definitions, for a terminal."""
    plan = Plan("", "", "update", tuple(changes), {}, {}, ())
    return as_text(plan)[1:]


def _headline(plan: Plan) -> str:
    if plan.action != "update":
        uploads = f", {len(plan.assets)} assets to upload" if plan.assets else ""
        return {"create": "to be created", "unchanged": "unchanged"}[plan.action] + uploads
    counts = {kind: sum(change.kind == kind for change in plan.changes) for kind in SIGNS}
    words = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"{words}, {len(plan.assets)} assets to upload"


def _label(change: Change) -> str:
    return f"{change.what} {change.name}".strip()


def _short(value: Any) -> str:
    text = " ".join(shown(value).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _cell(value: Any) -> str:
    return "" if value in (None, "") else _short(value).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
