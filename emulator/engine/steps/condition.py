"""Condition steps: choose the branch that runs. All conditions must hold (ConditionStep, "a list of conditions")."""

from __future__ import annotations

from emulator.engine.conditions import check_conditions, holds
from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.expressions import Reference
from emulator.engine.paths import Member, PathError
from emulator.engine.steps.executor import Executor, Host, StepRun, Work, register

OUTCOME = "Outcome"
"""The property of a condition: whether it held."""
_ARGUMENTS = ("Conditions", "IfSteps", "ElseSteps")


@register
class Condition(Executor):
    type = "Condition"

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        for member in step.arguments:
            if member not in _ARGUMENTS:
                reason = f"Unknown Argument member '{member}'."
                raise DefinitionError(reason, step=step.name, field=f"Arguments.{member}")
        conditions = step.arguments.get("Conditions")
        if not conditions:
            raise DefinitionError("A condition step needs conditions.", step=step.name, field="Arguments.Conditions")
        check_conditions(conditions, step.name, "Arguments.Conditions")

    def check_reference(self, reference: Reference) -> None:
        if reference.path != (Member(OUTCOME),):
            raise PathError("a condition step has one property, Outcome")

    def prepare(self, run: StepRun, host: Host) -> None:
        environment = host.environment(run.handle)
        outcomes = [holds(condition, environment) for condition in run.step.arguments["Conditions"]]
        run.arguments = {OUTCOME: all(outcomes)}

    def launch(self, run: StepRun, host: Host) -> Work:
        outcome = run.arguments[OUTCOME]
        return Work.succeeded({OUTCOME: outcome}, {"Condition": {OUTCOME: str(outcome)}})
