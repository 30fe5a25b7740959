"""The difference between two definitions in their own terms: steps, parameters, fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.cache_keys import CACHE_KEYS, key_members
from pipelines.definition import NESTED, expression, steps

Kind = Literal["added", "removed", "changed"]
NAMES = ("Name", "OutputName", "InputName", "ChannelName", "PropertyFileName", "Key", "Sid")
"""Members by which the items of a list are told apart."""
_ABSENT = object()


@dataclass(frozen=True)
class Field:
    """A member that differs; None on the side where it is not."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Change:
    """A step, parameter, tag or setting that differs."""

    kind: Kind
    what: str
    name: str
    fields: tuple[Field, ...] = ()


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """What has to change for ``old`` to become ``new``."""
    changes = _compare_named("parameter", _parameters(old), _parameters(new))
    changes += _compare_named("step", _steps(old), _steps(new))
    rest_old, rest_new = _rest(old), _rest(new)
    if fields := tuple(fields_between(rest_old, rest_new)):
        changes.append(Change("changed", "definition", "", fields))
    return changes


def lost_caches(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """Steps with caching whose next execution cannot reuse an earlier one, each with the reason."""
    before, after = _steps(old), steps(new)
    defaults = [
        {item["Name"]: item.get("DefaultValue") for item in side.get("Parameters") or ()} for side in (old, new)
    ]
    moved = {name for name in defaults[1] if defaults[0].get(name, _ABSENT) != defaults[1][name]}
    lost: dict[str, str] = {}
    for step in after:
        earlier = before.get(step.name)
        if earlier is None or step.type not in CACHE_KEYS:
            continue
        reasons = [field.path for field in fields_between(key_members(earlier), key_members(step.body))]
        used = set(_gets(key_members(step.body)))
        reasons += [f"default of {name}" for name in sorted(moved) if f"Parameters.{name}" in used]
        reasons += [f"outputs of {name}" for name in lost if any(path.startswith(f"Steps.{name}.") for path in used)]
        if reasons:
            lost[step.name] = ", ".join(reasons)
    cached = {step.name for step in after if (step.body.get("CacheConfig") or {}).get("Enabled")}
    return {name: reason for name, reason in lost.items() if name in cached}


def fields_between(old: Any, new: Any, path: str = "") -> Iterator[Field]:
    """The smallest members that differ, with their paths; list items by name where they have one."""
    if isinstance(old, dict) and isinstance(new, dict) and not (_is_expression(old) or _is_expression(new)):
        for key in dict.fromkeys([*old, *new]):
            yield from fields_between(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and (pair := _by_name(old, new)):
        for name in dict.fromkeys([*pair[0], *pair[1]]):
            yield from fields_between(pair[0].get(name), pair[1].get(name), f"{path}[{name}]")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from fields_between(left, right, f"{path}[{number}]")
    elif old != new:
        yield Field(path, old, new)


def shown(value: Any) -> str:
    """A value of a definition in one line."""
    if value is None:
        return "(none)"
    if isinstance(value, dict) and _is_expression(value):
        return expression(value)
    if isinstance(value, (dict, list)):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _compare_named(what: str, old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            changes.append(Change("removed", what, name))
        elif name not in old:
            changes.append(Change("added", what, name))
        elif fields := tuple(fields_between(old[name], new[name])):
            changes.append(Change("changed", what, name, fields))
    return changes


def _parameters(definition: dict[str, Any]) -> dict[str, Any]:
    return {item["Name"]: item for item in definition.get("Parameters") or ()}


def _steps(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every step without those in its branches, and with the branch that it is in."""
    found = {}
    for step in steps(definition) if definition.get("Steps") else []:
        arguments = {key: item for key, item in (step.body.get("Arguments") or {}).items() if key not in NESTED}
        branch = {"Branch": " ".join(step.branch)} if step.branch else {}
        found[step.name] = step.body | {"Arguments": arguments} | branch
    return found


def _rest(definition: dict[str, Any]) -> dict[str, Any]:
    plain = {key: item for key, item in definition.items() if key not in ("Parameters", "Steps")}
    return {key: item for key, item in plain.items() if item not in (None, {}, [])}


def _is_expression(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def _by_name(old: list[Any], new: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both lists by the names of their items; None if some have none, or the same."""
    for key in NAMES:
        if all(isinstance(item, dict) and isinstance(item.get(key), str) for item in (*old, *new)) and (old or new):
            named = {item[key]: item for item in old}, {item[key]: item for item in new}
            return named if (len(named[0]), len(named[1])) == (len(old), len(new)) else None
    return None


def _gets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Get" and isinstance(item, str):
                yield item
            else:
                yield from _gets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _gets(item)
