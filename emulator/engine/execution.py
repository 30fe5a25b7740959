"""One execution that has not ended, as the engine has it in memory; all of it can be read again from the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emulator.engine.definition import Definition, Iteration, StepDefinition
from emulator.engine.environment import ExecutionEnvironment, Reader, timestamp
from emulator.engine.frontier import Frontier
from emulator.engine.graph import Graph
from emulator.engine.iterations import Loop
from emulator.engine.parameters import bind_parameters
from emulator.engine.selection import CONFIG, selected_steps
from emulator.engine.steps import StepRun
from emulator.engine.steps.failures import TIMED_OUT
from emulator.engine.store import ITERATION, ExecutionStore, StepRecord
from emulator.engine.transitions import STOPPING, SUCCEEDED, Progress
from emulator.store.resources import Resource, Resources

if TYPE_CHECKING:
    from emulator.services.context import Invoke

KIND = "pipeline-execution"
PARAMETERS = "PipelineParameters"
PIPELINE_ARN = "PipelineArn"
VERSION = "PipelineVersionId"
EXPERIMENT = "PipelineExperimentConfig"
PARALLELISM = "ParallelismConfiguration"
FAILURE_REASON = "FailureReason"
ATTEMPTS = "Attempts"


class Execution:
    """The Host of its steps' executors (see ``steps.executor.Host``). Used by the engine's thread alone."""

    def __init__(
        self,
        resource: Resource,
        definition: Definition,
        store: ExecutionStore,
        resources: Resources,
        objects: Reader,
        invoke: Invoke,
    ) -> None:
        self.arn = resource.arn
        self.id = resource.name
        self.scope = resource.scope
        self.pipeline_arn: str = resource.body[PIPELINE_ARN]
        self.experiment: dict[str, str] = resource.body.get(EXPERIMENT) or {}
        """The experiment and the trial that the jobs of its steps belong to."""
        self.definition = definition
        self.resources = resources
        self.frontier = Frontier(definition, _graph_of(resource, definition))
        self.attempts: dict[str, int] = resource.body.get(ATTEMPTS, {})
        """How often steps were tried before the execution was retried."""
        self.running: dict[str, StepRun] = {}
        self.loops: dict[str, Loop] = {}
        """The children of each ForEach step that runs."""
        self.failed = False
        self.stopping = resource.status == STOPPING
        self.limit = limit_of(resource)
        self._failures: dict[str, str] = {}
        self._timed_out = False
        self._ended: set[str] = set()
        self._iteration: Iteration | None = None
        self._known: dict[str, dict[str, Any]] = {}
        self._store = store
        self._objects = objects
        self._invoke = invoke
        self._variables = variables_of(resource)
        self._parameters = bind_parameters(definition.parameters, resource.body[PARAMETERS])

    def environment(self, handle: dict[str, str]) -> ExecutionEnvironment:
        variables = self._variables
        if "Kind" in handle:
            variables = {**variables, f"{handle['Kind']}Name": handle["Name"]}
        return ExecutionEnvironment(
            self.definition, self._parameters, variables, self.properties, self._objects, self._iteration
        )

    @contextmanager
    def resolving(self, step: StepDefinition) -> Iterator[None]:
        """Whose arguments are resolved meanwhile: a child of a ForEach step sees its own item."""
        self._iteration = step.iteration
        try:
            yield
        finally:
            self._iteration = None

    def invoke(self, operation: str, request: dict[str, Any], service: str = "sagemaker") -> dict[str, Any]:
        return self._invoke(self.scope, service, operation, request)

    def properties(self, step: str) -> dict[str, Any] | None:
        """The properties of a step, None if it has none: it did not run, has not ended or failed at once."""
        if step not in self._ended:
            return None
        if step not in self._known:
            self._known[step] = self._store.properties(self.arn, step)
        return self._known[step] or None

    def succeed(self, step: StepDefinition) -> None:
        """A step has succeeded. Its properties are read when needed: the same before and after a restart."""
        self._ended.add(step.name)
        outcome = (self.properties(step.name) or {}).get("Outcome") if step.type == "Condition" else None
        self.frontier.end(step.name, SUCCEEDED, outcome)

    def fail(self, step: StepDefinition, status: str, reason: str = "") -> None:
        """A step has failed or was stopped; so has the execution, unless other steps run because of it."""
        self._ended.add(step.name)
        self._timed_out |= reason.startswith(TIMED_OUT)
        self._failures[step.name] = status
        self.frontier.end(step.name, status)
        if not self.frontier.handles(step.name, status):
            self.failed = True

    def opened(self, run: StepRun) -> None:
        """A step runs; if it is a ForEach step, its children may begin."""
        body = self.definition.bodies.get(run.step.name)
        if body is not None:
            self.loops[run.step.name] = Loop(run, body)

    def loop(self, run: StepRun) -> Loop:
        """The children of a ForEach step that runs."""
        return self.loops[run.step.name]

    def child_ended(self, step: StepDefinition, status: str, reason: str = "") -> None:
        """A child of a ForEach step has ended; only that step, not the execution, hears of it."""
        assert step.iteration is not None
        self._ended.add(step.name)
        self._timed_out |= reason.startswith(TIMED_OUT)
        self.loops[step.iteration.parent].end(step, status, reason)

    def taken(self, record: StepRecord) -> StepDefinition | None:
        """A step that had begun before the restart; None for a child whose ForEach step has ended."""
        context = record.display.get(ITERATION)
        if context is None:
            self.frontier.take(record.name)
            return self.definition.steps[record.name]
        loop = self.loops.get(context["ParentStepName"])
        return loop.take(context["Index"], record.name.rpartition("-")[0]) if loop else None

    def next_step(self) -> StepDefinition:
        """The step that begins now: a child before a step of the pipeline."""
        loop = self._ready_loop()
        return loop.pop() if loop else self.definition.steps[self.frontier.pop()]

    def _ready_loop(self) -> Loop | None:
        return next((loop for loop in self.loops.values() if loop.may_begin()), None)

    def progress(self) -> Progress:
        failures = self._failures
        unhandled = sum(not self.frontier.handles(name, status) for name, status in failures.items())
        running, ready = len(self.running), len(self.frontier)
        return Progress(self.stopping, self.failed, running, ready, len(failures), unhandled, self._timed_out)

    def may_begin(self) -> bool:
        """Is there a step that may begin now?"""
        full = self.limit is not None and len(self.running) - len(self.loops) >= self.limit
        if self.stopping or full:
            return False
        return self._ready_loop() is not None or (bool(len(self.frontier)) and not self.failed)


def _graph_of(resource: Resource, definition: Definition) -> Graph:
    graph, selected = Graph.of(definition), selected_steps(resource.body.get(CONFIG))
    return graph if selected is None else graph.restricted(selected)


def variables_of(resource: Resource) -> dict[str, str]:
    """The values of ``Execution.…`` in an execution."""
    return {
        "StartDateTime": timestamp(resource.created),
        "PipelineName": resource.parent,
        "PipelineArn": resource.body[PIPELINE_ARN],
        "PipelineExecutionId": resource.name,
        "PipelineExecutionArn": resource.arn,
    }


def limit_of(resource: Resource) -> int | None:
    """How many steps may run at the same time, None if there is no limit."""
    configuration = resource.body.get(PARALLELISM) or {}
    return configuration.get("MaxParallelExecutionSteps")
