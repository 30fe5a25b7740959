"""What came from what: data, the steps or jobs that read and wrote it, models and their packages, as a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.addresses import link, page_of
from studio.aws import Aws
from studio.execution import Execution
from studio.job_view import Artifact, JobView, view_job
from studio.jobs import KINDS, Kind, describe_job
from studio.layout import Box, Layout, layout

CODE = {"code", "sm_drivers", "entrypoint"}
"""Channels in which the SDK ships programs; they are not data."""
MOST_JOBS = 60
WIDTH, HEIGHT = 208.0, 44.0


@dataclass(frozen=True, slots=True)
class Thing:
    """A node: ``kind`` is data, model, step or package; ``target`` what it is in full; ``href`` its page, if any."""

    name: str
    kind: str
    title: str
    note: str
    target: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Lineage:
    things: tuple[Thing, ...]
    layout: Layout
    left_out: int = 0


@dataclass
class Drawing:
    """Things and what leads from one to another, while they are being found."""

    things: dict[str, Thing] = field(default_factory=dict)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)

    def add_outputs(self, job: str, outputs: tuple[Artifact, ...]) -> None:
        for output in outputs:
            self._add_data(output, "model" if output.name == "model" else "data")
            self.edges[job, output.uri] = None

    def add_inputs(self, job: str, inputs: tuple[Artifact, ...]) -> None:
        for source in inputs:
            if source.name not in CODE and source.uri:
                self.edges[self._source(source), job] = None

    def add_package(self, arn: str, document: Mapping[str, Any]) -> None:
        """A model package, below the models of its containers."""
        title = arn.split(":model-package/", 1)[-1]
        self.things[arn] = Thing(arn, "package", title, "Model package", arn, page_of(arn))
        self._add_containers(arn, (document.get("InferenceSpecification") or {}).get("Containers") or [])

    def add_model(self, arn: str, document: Mapping[str, Any]) -> None:
        """A model as CreateModel made it, below what its containers load."""
        title = arn.rsplit("/", 1)[-1]
        self.things[arn] = Thing(arn, "package", title, "Model", arn, page_of(arn))
        primary = document.get("PrimaryContainer")
        self._add_containers(arn, [*([primary] if primary else []), *(document.get("Containers") or [])])

    def _add_containers(self, name: str, containers: Iterable[Mapping[str, Any]]) -> None:
        for container in containers:
            if uri := container.get("ModelDataUrl"):
                if uri not in self.things:
                    self._add_data(Artifact("model", uri), "model")
                self.edges[uri, name] = None
            if package := container.get("ModelPackageName"):
                title = package.split(":model-package/", 1)[-1]
                self.things[package] = Thing(package, "package", title, "Model package", package, page_of(package))
                self.edges[package, name] = None

    def _add_data(self, artifact: Artifact, kind: str) -> None:
        uri = artifact.uri
        self.things[uri] = Thing(uri, kind, artifact.name, short(uri), uri, page_of(uri))

    def _source(self, source: Artifact) -> str:
        """The output that an input reads from, or data of its own."""
        for name, thing in self.things.items():
            is_data = thing.kind in ("data", "model")
            if is_data and (source.uri == name or source.uri.startswith(name.rstrip("/") + "/")):
                return name
        self._add_data(source, "data")
        return source.uri

    def lineage(self, left_out: int = 0) -> Lineage:
        """The drawing in its layers; things that nothing leads to or from are left out."""
        used = {name for edge in self.edges for name in edge}
        shown = tuple(thing for thing in self.things.values() if thing.name in used)
        boxes = tuple(Box(thing.name, WIDTH, HEIGHT) for thing in shown)
        return Lineage(shown, layout(boxes, tuple(self.edges)), left_out)


def execution_lineage(aws: Aws, execution: Execution, step_href: Callable[[str], str]) -> Lineage:
    """The lineage of an execution, read from its jobs' own descriptions."""
    jobs = [(state.name, *state.job) for state in execution.states.values() if state.job]
    found = [(step, _view(aws, kind, name)) for step, kind, name in jobs[:MOST_JOBS]]
    views = [(step, view) for step, view in found if view]
    drawing = Drawing()
    for step, view in views:
        drawing.things[f"step:{step}"] = Thing(f"step:{step}", "step", step, view.kind.title, step, step_href(step))
        drawing.add_outputs(f"step:{step}", view.outputs)
    for step, view in views:
        drawing.add_inputs(f"step:{step}", view.inputs)
    for arn in execution.packages:
        drawing.add_package(arn, _package(aws, arn))
    return drawing.lineage(max(0, len(jobs) - MOST_JOBS))


def package_lineage(aws: Aws, arn: str, document: Mapping[str, Any]) -> Lineage:
    """Data, the training job that made each model from it, and the package: upwards from the package."""
    drawing = Drawing()
    drawing.add_package(arn, document)
    return _with_jobs(aws, drawing)


def model_lineage(aws: Aws, arn: str, document: Mapping[str, Any]) -> Lineage:
    """The same of a model that is in no package."""
    drawing = Drawing()
    drawing.add_model(arn, document)
    return _with_jobs(aws, drawing)


def _with_jobs(aws: Aws, drawing: Drawing) -> Lineage:
    """The training job above each model of a drawing, and the data above that."""
    for thing in [thing for thing in drawing.things.values() if thing.kind == "model"]:
        job = _trained_by(aws, thing.target)
        if job:
            drawing.things[job.arn] = Thing(
                job.arn, "step", job.name, "Training job", job.arn, link("jobs", "training", job.name)
            )
            drawing.edges[job.arn, thing.name] = None
            drawing.add_inputs(job.arn, job.inputs)
    return drawing.lineage()


def _trained_by(aws: Aws, uri: str) -> JobView | None:
    """The training job that wrote a model: SageMaker puts it at ``…/<job>/output/model.tar.gz``."""
    parts = uri.rsplit("/", 3)
    if len(parts) < 4 or parts[2] != "output":
        return None
    view = _view(aws, KINDS["training"], parts[1])
    return view if view and any(output.uri == uri for output in view.outputs) else None


def _view(aws: Aws, kind: Kind, name: str) -> JobView | None:
    return aws.optional(lambda: view_job(kind, describe_job(aws, kind, name)), None)


def _package(aws: Aws, arn: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return aws.optional(lambda: aws.sagemaker("describe_model_package", ModelPackageName=arn), nothing)


def short(uri: str, length: int = 27) -> str:
    """The end of a URI, which says more than its beginning."""
    text = uri.removeprefix("s3://")
    return text if len(text) <= length else "…" + text[-(length - 1) :]
