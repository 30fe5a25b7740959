"""One execution that has not ended, as the engine has it in memory; all of it can be read again from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.environment import ExecutionEnvironment, Reader, timestamp
from emulator.engine.frontier import Frontier
from emulator.engine.graph import Graph
from emulator.engine.parameters import bind_parameters
from emulator.engine.steps import StepRun
from emulator.engine.store import ExecutionStore
from emulator.engine.transitions import STOPPING, Progress
from emulator.store.resources import Resource, Resources

if TYPE_CHECKING:
    from emulator.services.context import Invoke

KIND = "pipeline-execution"
PARAMETERS = "PipelineParameters"
PIPELINE_ARN = "PipelineArn"
VERSION = "PipelineVersionId"
PARALLELISM = "ParallelismConfiguration"
FAILURE_REASON = "FailureReason"


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
        self.definition = definition
        self.resources = resources
        self.frontier = Frontier(definition, Graph.of(definition))
        self.running: dict[str, StepRun] = {}
        self.failed = False
        self.stopping = resource.status == STOPPING
        self.limit = limit_of(resource)
        self._succeeded: set[str] = set()
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
        return ExecutionEnvironment(self.definition, self._parameters, variables, self.properties, self._objects)

    def invoke(self, operation: str, request: dict[str, Any], service: str = "sagemaker") -> dict[str, Any]:
        return self._invoke(self.scope, service, operation, request)

    def properties(self, step: str) -> dict[str, Any] | None:
        """The properties of a step, None if it has not succeeded."""
        if step not in self._succeeded:
            return None
        if step not in self._known:
            self._known[step] = self._store.properties(self.arn, step)
        return self._known[step]

    def succeed(self, step: StepDefinition) -> None:
        """A step has succeeded. Its properties are read when needed: the same before and after a restart."""
        self._succeeded.add(step.name)
        outcome = (self.properties(step.name) or {}).get("Outcome") if step.type == "Condition" else None
        self.frontier.succeed(step.name, outcome)

    def progress(self) -> Progress:
        return Progress(self.stopping, self.failed, len(self.running), len(self.frontier))

    def may_begin(self) -> bool:
        """Is there a step that may begin now?"""
        full = self.limit is not None and len(self.running) >= self.limit
        return bool(len(self.frontier)) and not (self.failed or self.stopping or full)


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
