"""What came from what: data, the steps that read and wrote it, models and their packages, as a graph."""

from __future__ import annotations

from dataclasses import dataclass

from studio.aws import Aws, Problem
from studio.execution import Execution
from studio.job_view import Artifact, view_job
from studio.jobs import KINDS, describe_job
from studio.layout import Box, Layout, layout

CODE = {"code", "sm_drivers", "entrypoint"}
"""Channels in which the SDK ships programs; they are not data."""
MOST_JOBS = 60
WIDTH, HEIGHT = 208.0, 44.0


@dataclass(frozen=True, slots=True)
class Thing:
    """A node: ``kind`` is data, model, step or package; ``target`` an S3 URI, a step's name or an ARN."""

    name: str
    kind: str
    title: str
    note: str
    target: str


@dataclass(frozen=True, slots=True)
class Lineage:
    things: tuple[Thing, ...]
    layout: Layout
    left_out: int = 0


def build_lineage(aws: Aws, execution: Execution) -> Lineage:
    """The lineage of an execution, read from its jobs' own descriptions."""
    things: dict[str, Thing] = {}
    edges: dict[tuple[str, str], None] = {}
    jobs = [state for state in execution.states.values() if state.job and state.job[0].lower() in KINDS]
    views = []
    for state in jobs[:MOST_JOBS]:
        kind, name = state.job or ("", "")
        try:
            views.append((state.name, view_job(KINDS[kind.lower()], describe_job(aws, KINDS[kind.lower()], name))))
        except Problem as problem:
            if not problem.is_missing:
                raise
    for step, view in views:
        things[f"step:{step}"] = Thing(f"step:{step}", "step", step, view.kind.title, step)
        for output in view.outputs:
            kind = "model" if output.name == "model" else "data"
            things[output.uri] = Thing(output.uri, kind, output.name, short(output.uri), output.uri)
            edges[f"step:{step}", output.uri] = None
    for step, view in views:
        for source in view.inputs:
            if source.name not in CODE:
                edges[_source(source, things), f"step:{step}"] = None
    _add_packages(aws, execution, things, edges)
    used = {name for edge in edges for name in edge}
    shown = tuple(thing for thing in things.values() if thing.name in used)
    boxes = tuple(Box(thing.name, WIDTH, HEIGHT) for thing in shown)
    return Lineage(shown, layout(boxes, tuple(edges)), max(0, len(jobs) - MOST_JOBS))


def _source(source: Artifact, things: dict[str, Thing]) -> str:
    """The output that an input reads from, or data of its own."""
    for name, thing in things.items():
        if thing.kind in ("data", "model") and (source.uri == name or source.uri.startswith(name.rstrip("/") + "/")):
            return name
    things[source.uri] = Thing(source.uri, "data", source.name, short(source.uri), source.uri)
    return source.uri


def _add_packages(aws: Aws, execution: Execution, things: dict[str, Thing], edges: dict[tuple[str, str], None]) -> None:
    for arn in execution.packages:
        title = arn.split(":model-package/", 1)[-1]
        things[arn] = Thing(arn, "package", title, "Model package", arn)
        package = aws.sagemaker("describe_model_package", ModelPackageName=arn)
        for container in (package.get("InferenceSpecification") or {}).get("Containers") or []:
            if container.get("ModelDataUrl") in things:
                edges[container["ModelDataUrl"], arn] = None


def short(uri: str, length: int = 30) -> str:
    """The end of a URI, which says more than its beginning."""
    text = uri.removeprefix("s3://")
    return text if len(text) <= length else "…" + text[-(length - 1) :]
