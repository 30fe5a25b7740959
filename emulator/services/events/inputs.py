"""What a target gets of an event: all of it, a part, a constant, or a text made of parts (PutTargets, "Target")."""

from __future__ import annotations

import json
import re
from typing import Any

from emulator.engine.paths import PathError, parse_path, select


def input_of(target: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """The text that is handed to the target."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(_found(target["InputPath"], event))
    if target.get("InputTransformer"):
        return _transformed(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def at_path(path: str, event: dict[str, Any]) -> Any:
    """The value at a JSON path of the form ``$.detail.name``; None where there is none."""
    return _found(path, event)


def _found(path: str, event: dict[str, Any], otherwise: Any = None) -> Any:
    if path == "$":
        return event
    try:
        return select(event, parse_path(path.removeprefix("$").removeprefix(".")))
    except PathError:
        return otherwise


_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_PREDEFINED = ("rule-arn", "rule-name", "event", "event.json", "event.ingestion-time")


def unknown_placeholders(transformer: dict[str, Any]) -> list[str]:
    """The names in the template of an InputTransformer that stand for nothing."""
    known = {*(transformer.get("InputPathsMap") or {}), *(f"aws.events.{name}" for name in _PREDEFINED)}
    return [name for name in _PLACEHOLDER.findall(transformer["InputTemplate"]) if name not in known]


def _transformed(transformer: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """A placeholder stands for JSON, or for the bare text where it is inside a string; one without a value for ""."""
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.json": event,
        "aws.events.event": {_RENAMED.get(key, key): value for key, value in event.items() if key != "detail"},
        "aws.events.event.ingestion-time": event["time"],
    }
    for name, path in (transformer.get("InputPathsMap") or {}).items():
        values[name] = _found(path, event, "")
    template = transformer["InputTemplate"]
    pieces: list[str] = []
    position = 0
    for match in _PLACEHOLDER.finditer(template):
        name = match[1]
        if name not in values:
            continue
        pieces.append(template[position : match.start()])
        pieces.append(_placed(values[name], inside=_inside_string(template, match.start())))
        position = match.end()
    return "".join([*pieces, template[position:]])


_RENAMED = {"detail-type": "detailType"}


def _placed(value: Any, *, inside: bool) -> str:
    if not inside:
        return json.dumps(value)
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return json.dumps(text)[1:-1]


def _inside_string(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1
