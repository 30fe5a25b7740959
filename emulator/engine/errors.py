"""What can be wrong with a pipeline.

DefinitionError      the definition cannot be accepted: CreatePipeline and UpdatePipeline answer ValidationException
ParameterError       StartPipelineExecution was given values that do not fit the declared parameters
ExpressionError      an expression has no value in this execution: its step fails with the reason
"""

from __future__ import annotations

from emulator.aws.errors import ValidationException


class DefinitionError(ValidationException):
    """``reason`` in AWS's words, then the step and the field it is about."""

    def __init__(self, reason: str, *, step: str | None = None, field: str | None = None) -> None:
        where = [f"step '{step}'" if step else "", f"field {field}" if field else ""]
        place = ", ".join(part for part in where if part)
        super().__init__(f"Unable to parse pipeline definition. {reason}" + (f" ({place})" if place else ""))


class ParameterError(ValidationException):
    """A value given to StartPipelineExecution does not fit the declaration of its parameter."""


class ExpressionError(Exception):
    """``expression`` (as ``Steps.Train.ModelArtifacts``) cannot be resolved, and why."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(f"Unable to resolve {expression}: {reason}")
        self.expression = expression
        self.reason = reason
