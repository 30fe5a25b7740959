"""Drawing the graph of a definition as text: each step under the last step that it waits for."""

from __future__ import annotations

from typing import Any

from pipelines.definition import Parameter, Step, condition, expression, parameters, steps


def draw(name: str, definition: dict[str, Any]) -> list[str]:
    """Lines that show a pipeline: its graph, then its parameters."""
    ordered = steps(definition)
    given = parameters(definition)
    lines = [f"{name}: {_count(ordered, 'step')}, {_count(given, 'parameter')}", ""]
    lines += _draw_graph(ordered)
    if given:
        lines += ["", "Parameters", *_draw_parameters(given)]
    return lines


def _count(items: list[Any], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _draw_graph(ordered: list[Step]) -> list[str]:
    position = {step.name: number for number, step in enumerate(ordered)}
    children: dict[str | None, list[Step]] = {}
    for step in ordered:
        known = [name for name in step.after if name in position]
        parent = max(known, key=lambda name: position[name]) if known else None
        children.setdefault(parent, []).append(step)
    lines: list[str] = []
    _draw_level(children, None, "  ", lines)
    return lines


def _draw_level(children: dict[str | None, list[Step]], parent: str | None, indent: str, lines: list[str]) -> None:
    level = children.get(parent, [])
    for number, step in enumerate(level):
        last = number == len(level) - 1
        mark = "" if parent is None else ("└─ " if last else "├─ ")
        below = "" if parent is None else ("   " if last else "│  ")
        lines.append(f"{indent}{mark}{_label(step, parent)}")
        _draw_level(children, step.name, indent + below, lines)


def _label(step: Step, parent: str | None) -> str:
    side = f"{step.branch[1]}: " if step.branch and step.branch[0] == parent else ""
    others = [name for name in step.after if name != parent]
    also = f"  (also after {', '.join(others)})" if others else ""
    return f"{side}{step.name}  {step.type}{_detail(step)}{also}"


def _detail(step: Step) -> str:
    arguments = step.body.get("Arguments") or {}
    match step.type:
        case "Condition":
            return "  " + " and ".join(condition(item) for item in arguments.get("Conditions") or ())
        case "Processing":
            instance = arguments.get("ProcessingResources", {}).get("ClusterConfig", {}).get("InstanceType")
            return f"  {expression(instance)}" if instance else ""
        case "Training":
            instance = arguments.get("ResourceConfig", {}).get("InstanceType")
            return f"  {expression(instance)}" if instance else ""
        case _:
            return ""


def _draw_parameters(given: list[Parameter]) -> list[str]:
    width = max(len(parameter.name) for parameter in given)
    return [f"  {parameter.name:<{width}}  {parameter.type:<7}  {_default(parameter)}".rstrip() for parameter in given]


def _default(parameter: Parameter) -> str:
    choices = f"  one of {', '.join(str(choice) for choice in parameter.choices)}" if parameter.choices else ""
    return ("(must be given)" if parameter.default is None else str(parameter.default)) + choices
