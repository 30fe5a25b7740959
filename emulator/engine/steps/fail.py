"""Fail steps: end the execution as failed, with a message."""

from __future__ import annotations

from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import as_text, evaluate, is_expression
from emulator.engine.steps.executor import Executor, Host, StepRun, Work, register

MAX_MESSAGE = 3072
MESSAGE = "ErrorMessage"


@register
class Fail(Executor):
    type = "Fail"

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        for member in step.arguments:
            if member != MESSAGE:
                reason = f"Unknown Argument member '{member}'."
                raise DefinitionError(reason, step=step.name, field=f"Arguments.{member}")
        message = step.arguments.get(MESSAGE, "")
        if not isinstance(message, str) and not is_expression(message):
            raise DefinitionError("Expecting a string.", step=step.name, field=f"Arguments.{MESSAGE}")
        if isinstance(message, str) and len(message) > MAX_MESSAGE:
            reason = f"The message is longer than {MAX_MESSAGE} characters."
            raise DefinitionError(reason, step=step.name, field=f"Arguments.{MESSAGE}")

    def prepare(self, run: StepRun, host: Host) -> None:
        message = evaluate(run.step.arguments.get(MESSAGE, ""), host.environment(run.handle))
        run.arguments = {MESSAGE: as_text(message)[:MAX_MESSAGE]}

    def launch(self, run: StepRun, host: Host) -> Work:
        message = run.arguments[MESSAGE]
        return Work.failed(message, {"Fail": {MESSAGE: message}})
