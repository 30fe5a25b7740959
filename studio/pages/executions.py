"""An execution: graph and times as they happen, a panel for the selected step, and what can be done with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from starlette.responses import RedirectResponse, Response

from studio.addresses import link
from studio.aws import Aws
from studio.caching import explain_cache
from studio.commands import cli, start_members
from studio.compare import read_property_file
from studio.costs import cost
from studio.definition import Step
from studio.execution import Execution, execution_arn, load_execution
from studio.explain import comparisons
from studio.graph import Graph, build_graph
from studio.job_view import JobView, view_job
from studio.jobs import describe_job
from studio.lineage import Lineage, execution_lineage
from studio.log_lines import EMPTY
from studio.logs import read_log
from studio.pages.jobs import job_charts, job_log
from studio.pages.page import Page, View, Write
from studio.steps import NOT_RUN, UNDER_WAY, WAITING, StepState

VIEWS = ("graph", "times", "artifacts", "parameters")
MOST_PRICED = 100
"""Jobs of an execution whose cost is estimated."""
TABS = ("input", "output", "logs", "info")


def execution(view: View) -> Page:
    found = load_execution(view.aws, view.parts["pipeline"], view.parts["execution"])
    shown = view.get("view", "graph") if view.get("view", "graph") in VIEWS else "graph"
    graph = build_graph(found.definition, found.states, ended=found.has_ended, opened=view.query.getlist("open"))
    selected = _selected(view, found)
    context: dict[str, Any] = {"execution": found, "shown": shown, "views": VIEWS, "graph": graph, "selected": selected}
    context |= {
        "panel": _panel(view, found, graph, selected),
        "cause": _cause(view.aws, found),
        "command": _command(found),
    }
    context["bars"] = _bars(view, found) if shown == "times" else None
    context["lineage"] = _lineage(view, found) if shown == "artifacts" else None
    context["ended"] = sum(node.state.status not in {*UNDER_WAY, WAITING} for node in graph.nodes)
    blocks = ("said", "head", "main", "panel")
    return Page("execution.html", f"{found.title} · {found.pipeline}", context, blocks, not found.has_ended)


def _selected(view: View, found: Execution) -> str:
    """The step in the address; without one, the step that made the execution fail."""
    if "step" in view.query:
        return view.get("step")
    return found.failed[0].name if found.failed else ""


def _command(found: Execution) -> str:
    """What one would most likely do with it now, as a command: stop it, retry it, or run it again."""
    match found.status:
        case "Executing" | "Stopping":
            return cli("sagemaker", "StopPipelineExecution", PipelineExecutionArn=found.arn)
        case "Failed" | "Stopped":
            return cli("sagemaker", "RetryPipelineExecution", PipelineExecutionArn=found.arn)
        case _:
            members = start_members(found.pipeline, found.given)
            return cli("sagemaker", "StartPipelineExecution", **members)


def _cause(aws: Aws, found: Execution) -> dict[str, Any] | None:
    """The step that failed first and the words that explain it best."""
    if not found.failed:
        return None
    state = found.failed[0]
    job = _job(aws, state)
    line = aws.optional(lambda: read_log(aws, job.kind, job.name, failed=True).cause, None) if job else None
    reason = state.reason or found.reason
    return {"state": state, "reason": reason, "line": line, "others": len(found.failed) - 1}


def _panel(view: View, found: Execution, graph: Graph, selected: str) -> dict[str, Any] | None:
    node = next((node for node in graph.nodes if node.name == selected), None)
    if node is not None and node.is_fan:
        return {"fan": node}
    state = found.states.get(selected) or (node.state if node else None)
    step = _step(found, selected, state)
    if state is None or step is None:
        return None
    tab = view.get("tab") or ("logs" if state.status == "Failed" and state.job else "info")
    job = _job(view.aws, state)
    panel: dict[str, Any] = {"fan": None, "state": state, "step": step, "tab": tab, "job": job, "tabs": TABS}
    panel["loop"] = node if node and node.type == "ForEach" else None
    panel["log"] = job_log(view, job) if job and tab == "logs" else EMPTY
    panel["charts"] = job_charts(view.aws, job) if job and tab == "output" else []
    panel["reports"] = _reports(view.aws, step, state, job) if tab == "output" else {}
    panel["conditions"] = comparisons(view.aws, found, step) if step.type == "Condition" else []
    explained = tab == "info" and state.status == "Succeeded"
    explain = partial(explain_cache, view.aws, found, step, state)
    panel["cache"] = view.aws.optional(explain, None) if explained else None
    panel["waits"] = state.status == NOT_RUN and found.failed
    return panel


def _step(found: Execution, name: str, state: StepState | None) -> Step | None:
    """The definition of a step; of a ForEach step's child, that of the body's step."""
    steps = found.definition.steps
    if name in steps or state is None:
        return steps.get(name)
    return steps.get(name.rsplit("-", 1)[0]) if state.parent else None


def _job(aws: Aws, state: StepState) -> JobView | None:
    if state.job is None:
        return None
    kind, name = state.job
    return aws.optional(lambda: view_job(kind, describe_job(aws, kind, name)), None)


def _reports(aws: Aws, step: Step, state: StepState, job: JobView | None) -> dict[str, Any]:
    if job is None or state.status != "Succeeded":
        return {}
    document = describe_job(aws, job.kind, job.name)
    files = step.document.get("PropertyFiles") or []
    found = {
        entry["FilePath"]: read_property_file(aws, document, entry["OutputName"], entry["FilePath"]) for entry in files
    }
    return {path: report for path, report in found.items() if report}


def _bars(view: View, found: Execution) -> list[dict[str, Any]]:
    """Where the time went: a bar per step, placed between the execution's start and its end."""
    if found.started is None:
        return []
    total = max(found.seconds or 0.0, 1e-3)
    begun = [(state.started, state) for state in found.states.values() if state.started]
    begun.sort(key=lambda pair: pair[0])
    bars = []
    for (started, state), dollars in zip(begun, _costs(view, [state for _, state in begun]), strict=True):
        seconds = state.seconds or 0.0
        bars.append(
            {
                "state": state,
                "left": min(100.0, 100 * max(0.0, (started - found.started).total_seconds()) / total),
                "width": max(0.3, min(100.0, 100 * seconds / total)),
                "share": seconds / total,
                "cost": dollars,
            }
        )
    return bars


def _costs(view: View, states: list[StepState]) -> list[float | None]:
    """What each step cost, so far as it is known; of the first jobs only, as each has to be asked for."""
    jobs = [state for state in states if state.job and not state.cached_from][:MOST_PRICED]
    with ThreadPoolExecutor(max_workers=8) as pool:
        views = dict(zip((state.name for state in jobs), pool.map(partial(_job, view.aws), jobs), strict=True))
    found = (views.get(state.name) for state in states)
    return [cost(job, view.options.prices) if job else None for job in found]


def _lineage(view: View, found: Execution) -> Lineage:
    return execution_lineage(view.aws, found, lambda step: view.url(step=step, tab=None))


def stop(write: Write) -> Response:
    return _act(write, "stop_pipeline_execution")


def retry(write: Write) -> Response:
    return _act(write, "retry_pipeline_execution")


def _act(write: Write, method: str) -> Response:
    name, identifier = write.parts["pipeline"], write.parts["execution"]
    write.aws.sagemaker(method, PipelineExecutionArn=execution_arn(write.aws, name, identifier))
    return RedirectResponse(link("pipelines", name, "executions", identifier), 303)
