"""Steps that ask somebody and wait for output parameters: what Lambda and Callback steps have in common.

Who is asked, and what, is stored as a resource under a handle that was chosen before: a launch that is repeated after
a crash asks nobody again. The resource's end is the step's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import Reference, as_text, evaluate
from emulator.engine.steps.executor import Executor, Host, StepRun, Work
from emulator.engine.steps.outputs import (
    OUTPUTS,
    OutputError,
    check_output_reference,
    check_outputs,
    shown_outputs,
    typed_outputs,
)
from emulator.store.resources import Resource

ARGUMENTS = "Arguments"


class AskingExecutor(Executor):
    """``asked`` is the member of a step that says who is asked; ``needs`` what is said where it is missing."""

    asked: ClassVar[str]
    needs: ClassVar[str]

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        asked = step.extra.get(self.asked)
        if not asked or not isinstance(asked, str | dict):
            raise DefinitionError(self.needs, step=step.name, field=self.asked)
        check_outputs(step)

    def check_reference(self, reference: Reference) -> None:
        check_output_reference(reference)

    def prepare(self, run: StepRun, host: Host) -> None:
        run.handle = self._new_handle()
        environment = host.environment(run.handle)
        run.arguments = {
            self.asked: as_text(evaluate(run.step.extra[self.asked], environment)),
            ARGUMENTS: evaluate(run.step.arguments, environment),
        }

    def find(self, run: StepRun, host: Host) -> Work | None:
        run.arn = self._arn(run, host)
        return self.follow(run, host) if host.resources.by_arn(run.arn) else None

    def follow(self, run: StepRun, host: Host) -> Work:
        answer = host.resources.by_arn(run.arn)
        assert answer is not None, f"{run.arn} is missing, which a step waits for"
        match answer.status:
            case "Completed":
                return self._answered(run, answer)
            case "Failed":
                return Work.failed(self._reason(run, answer), self._metadata(run), run.arn)
            case _:
                return Work.running(run.arn, self._metadata(run))

    def _answered(self, run: StepRun, answer: Resource) -> Work:
        try:
            outputs = typed_outputs(run.step, self._values(run, answer))
        except OutputError as error:
            return Work.failed(f"ClientError: {error}", self._metadata(run), run.arn)
        return Work.succeeded({OUTPUTS: outputs}, self._metadata(run, outputs), run.arn)

    def _metadata(self, run: StepRun, outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        shown = {OUTPUTS: shown_outputs(outputs)} if outputs else {}
        return {self.type: {**self._shown(run), **shown}}

    @abstractmethod
    def _new_handle(self) -> dict[str, str]:
        """What finds the question again."""

    @abstractmethod
    def _arn(self, run: StepRun, host: Host) -> str:
        """The ARN of the resource that is waited for."""

    @abstractmethod
    def _values(self, run: StepRun, answer: Resource) -> Mapping[str, Any]:
        """The outputs as they were given; raises OutputError where the answer has none."""

    @abstractmethod
    def _reason(self, run: StepRun, answer: Resource) -> str:
        """Why the step has failed."""

    @abstractmethod
    def _shown(self, run: StepRun) -> dict[str, Any]:
        """The members of the step's metadata, without its outputs."""
