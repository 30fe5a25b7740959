"""What every step type can do: check its definition, begin, follow and stop what runs for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import Reference, evaluate, is_expression
from emulator.engine.paths import PathError
from emulator.engine.retries import Retries
from emulator.engine.shapes import check_arguments, check_path, input_shape, output_shape
from emulator.engine.transitions import EXECUTING, FAILED, STOPPED, SUCCEEDED
from emulator.store.resources import Resources, Scope

if TYPE_CHECKING:
    from emulator.engine.iterations import Loop


@dataclass(slots=True)
class StepRun:
    """One attempt at a step.

    ``handle`` is what finds the work again after a crash (a job's name, a token): chosen in ``prepare`` and stored
    before anything is launched. ``arguments`` are resolved and stored with it, so that a launch can be repeated.
    """

    step: StepDefinition
    status: str
    attempt: int = 1
    handle: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    arn: str = ""
    """The ARN of the resource whose end ends the step; empty if there is none."""
    retries: Retries = field(default_factory=Retries)
    """What has been used of the step's retry policies; while ``due`` is set, this attempt waits to be launched."""


@dataclass(frozen=True, slots=True)
class Work:
    """How far the work of a step is: ``status`` is Executing, or how the step ended."""

    status: str
    arn: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    error: str = ""
    """Of failed work: what a retry policy calls the error (see ``retries``); empty if it is never tried again."""

    @classmethod
    def running(cls, arn: str, metadata: dict[str, Any]) -> Work:
        return cls(EXECUTING, arn, metadata)

    @classmethod
    def succeeded(cls, properties: dict[str, Any], metadata: dict[str, Any], arn: str = "") -> Work:
        return cls(SUCCEEDED, arn, metadata, properties)

    @classmethod
    def failed(cls, reason: str, metadata: dict[str, Any] | None = None, arn: str = "", *, error: str = "") -> Work:
        return cls(FAILED, arn, metadata or {}, reason=reason, error=error)

    @classmethod
    def stopped(cls, metadata: dict[str, Any] | None = None, arn: str = "") -> Work:
        return cls(STOPPED, arn, metadata or {})


class Host(Protocol):
    """The execution that a step runs in, as its executor sees it."""

    @property
    def arn(self) -> str: ...

    @property
    def id(self) -> str: ...

    def environment(self, handle: dict[str, str]) -> Any:
        """What expressions mean for the step that has this handle."""
        ...

    @property
    def scope(self) -> Scope: ...

    @property
    def experiment(self) -> dict[str, str]:
        """ExperimentName and TrialName that its jobs belong to; empty where the pipeline has none."""
        ...

    @property
    def resources(self) -> Resources:
        """Where executors keep what a step waits for that no operation makes: a callback, an invocation."""
        ...

    def invoke(self, operation: str, request: dict[str, Any], service: str = "sagemaker") -> dict[str, Any]:
        """Call an operation as the pipeline's role does; raises AwsError."""
        ...

    def properties(self, step: str) -> dict[str, Any] | None:
        """The properties of a step, None if it has none."""
        ...

    def loop(self, run: StepRun) -> Loop:
        """The children of a ForEach step that runs."""
        ...


class Executor(ABC):
    """A step type. Executors keep no state: everything is in the StepRun and the database."""

    type: ClassVar[str]
    fields: ClassVar[tuple[str, ...]] = ()
    """Members of the step besides those that every step has."""
    cached_by: ClassVar[tuple[str, ...]] = ()
    """Members of the resolved arguments that must be equal for a result to be taken over; without any, none is."""
    retried: ClassVar[bool] = False
    """May the step have retry policies?"""

    def check(self, step: StepDefinition, definition: Definition) -> None:
        """Refuse, with DefinitionError, a step that could never run."""
        for member in step.extra:
            if member not in self.fields:
                raise DefinitionError(
                    f"Cannot parse object, unknown property '{member}'.", step=step.name, field=member
                )
        if step.retries and not self.retried:
            reason = f"Steps of type '{self.type}' cannot have retry policies."
            raise DefinitionError(reason, step=step.name, field="RetryPolicies")
        if step.property_files and not self.property_outputs(step):
            reason = f"Steps of type '{self.type}' have no outputs for property files."
            raise DefinitionError(reason, step=step.name, field="PropertyFiles")

    def check_reference(self, reference: Reference) -> None:
        """Refuse, with PathError, a reference to a property that steps of this type do not have."""
        raise PathError(f"steps of type '{self.type}' have no properties")

    def property_outputs(self, step: StepDefinition) -> tuple[Any, ...]:
        """The outputs in which property files may lie."""
        return ()

    def images(self, step: StepDefinition) -> tuple[Any, ...]:
        """The image URIs (possibly expressions) that the step will need, to prepare them early."""
        return ()

    def prepare(self, run: StepRun, host: Host) -> None:
        """Choose the handle and resolve the arguments; raises ExpressionError."""
        run.arguments = evaluate(run.step.arguments, host.environment(run.handle))

    def cache_values(self, run: StepRun) -> dict[str, Any] | None:
        """What must be equal for an earlier result to be taken over, None if this type is never cached."""
        if not self.cached_by:
            return None
        return {member: run.arguments[member] for member in self.cached_by if member in run.arguments}

    @abstractmethod
    def launch(self, run: StepRun, host: Host) -> Work:
        """Begin the work. Must do no harm when repeated after a crash with the same handle."""

    def find(self, run: StepRun, host: Host) -> Work | None:
        """After a crash during ``launch``: the work that was begun under the handle, None if nothing was."""
        return None

    def follow(self, run: StepRun, host: Host) -> Work:
        """How far the work is, asked when its resource has changed."""
        raise AssertionError(f"{self.type} steps have no work to follow")

    def stop(self, run: StepRun, host: Host) -> None:
        """Ask the work to stop; its end is followed as usual."""
        raise AssertionError(f"{self.type} steps have no work to stop")


class ApiExecutor(Executor):
    """A step whose arguments are the request of ``create`` and whose properties are the response of ``describe``."""

    create: ClassVar[str]
    describe: ClassVar[str]
    refused: ClassVar[tuple[str, ...]] = ()
    """Members of the request that a pipeline may not give."""

    def check(self, step: StepDefinition, definition: Definition) -> None:
        if is_expression(step.arguments):
            raise DefinitionError("Expecting start of Json Object.", step=step.name, field="Arguments")
        for member in self.refused:
            if member in step.arguments:
                reason = f"Unknown Argument member '{member}'."
                raise DefinitionError(reason, step=step.name, field=f"Arguments.{member}")
        check_arguments(input_shape(self.create), step.arguments, step.name, "Arguments")
        super().check(step, definition)

    def check_reference(self, reference: Reference) -> None:
        check_path(output_shape(self.describe), reference.path)


_EXECUTORS: dict[str, Executor] = {}
_LATER: set[str] = {
    "Tuning",
    "Transform",
    "Model",
    "Lambda",
    "Callback",
    "ForEach",
    "QualityCheck",
    "ClarifyCheck",
    "AutoML",
    "Endpoint",
    "EndpointConfig",
    "InferenceComponent",
    "EMR",
    "EMRServerless",
    "Lineage",
    "Cleanup",
    "Job",
    "Athena",
    "HubContent",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockProvisionedModelThroughput",
    "BedrockModelImport",
}
"""Step types of AWS that the emulator does not run yet; they are refused when a pipeline is created."""


def register(executor: type[Executor]) -> type[Executor]:
    """Make a step type known; used as a decorator."""
    assert executor.type not in _EXECUTORS, f"step type {executor.type} is registered twice"
    _EXECUTORS[executor.type] = executor()
    _LATER.discard(executor.type)
    return executor


def executor_of(step: StepDefinition) -> Executor:
    """The executor of the step's type.

    Raises:
        DefinitionError: AWS has no such type, or the emulator does not run it yet.
    """
    executor = _EXECUTORS.get(step.type)
    if executor is not None:
        return executor
    known = f"The emulator runs {', '.join(step_types())}."
    if step.type in _LATER:
        category = step.arguments.get("JobCategory")
        kind = f"'{step.type}'" + (f" of category '{category}'" if isinstance(category, str) else "")
        reason = f"Step type {kind} exists on AWS but the emulator does not run it yet. {known}"
    else:
        reason = f"Unknown step type '{step.type}'. {known}"
    raise DefinitionError(reason, step=step.name, field="Type")


def step_types() -> list[str]:
    """The step types that run here."""
    return sorted(_EXECUTORS)
