"""Why a step did what it did: conditions with the values they compared, and where a cached result came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from studio.addresses import split_uri
from studio.aws import Aws
from studio.definition import Step
from studio.execution import Execution
from studio.expressions import resolve, walk, words
from studio.jobs import describe_job

_SIGNS = {
    "Equals": "=",
    "NotEquals": "≠",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": "≥",
    "LessThan": "<",
    "LessThanOrEqualTo": "≤",
}
UNKNOWN = "?"
LARGEST_PROPERTY_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition in words, and with values: ``Evaluate → auc ≥ MinAuc`` and ``0.695 ≥ 0.65``."""

    words: str
    values: str


def comparisons(aws: Aws, execution: Execution, step: Step) -> list[Comparison]:
    """The conditions of a condition step; a value that is not known is a question mark."""
    look = Values(aws, execution)
    found = []
    for condition in step.arguments.get("Conditions") or []:
        found.append(Comparison(_phrase(condition, words), _phrase(condition, look.text)))
    return found


def _phrase(condition: Mapping[str, Any], text: Any) -> str:
    kind = condition.get("Type")
    match kind:
        case "In":
            listed = ", ".join(text(value) for value in condition.get("Values") or [])
            return f"{text(condition.get('QueryValue'))} in [{listed}]"
        case "Not":
            return f"not ({_phrase(condition.get('Expression') or condition.get('Condition') or {}, text)})"
        case "Or":
            return " or ".join(f"({_phrase(inner, text)})" for inner in condition.get("Conditions") or [])
        case _:
            sign = _SIGNS.get(str(kind), str(kind))
            return f"{text(condition.get('LeftValue'))} {sign} {text(condition.get('RightValue'))}"


class Values:
    """The values of expressions in an execution, read from its parameters, its jobs and their property files."""

    def __init__(self, aws: Aws, execution: Execution) -> None:
        self._aws = aws
        self._execution = execution
        self._described: dict[str, dict[str, Any]] = {}

    def text(self, expression: Any) -> str:
        """The value in words, shortened to six digits; a question mark if it is not known."""
        try:
            value: Any = self._aws.optional(partial(resolve, expression, self._look), UNKNOWN)
        except KeyError:
            return UNKNOWN
        return f"{value:.6g}" if isinstance(value, float) else words(value)

    def _look(self, expression: Mapping[str, Any]) -> Any:
        match expression:
            case {"Get": str(path)}:
                return self._get(path)
            case {"Std:JsonGet": {"PropertyFile": {"Get": str(path)}, "Path": str(inner)}}:
                return walk(self._property_file(path), inner)
            case {"Std:JsonGet": {"S3Uri": uri, "Path": str(inner)}}:
                return walk(self._json(str(resolve(uri, self._look))), inner)
        raise KeyError(words(expression))

    def _get(self, path: str) -> Any:
        root, _, rest = path.partition(".")
        match root:
            case "Parameters":
                return self._execution.values[rest]
            case "Execution":
                known = {"PipelineName": self._execution.pipeline, "PipelineExecutionId": self._execution.id}
                return (known | {"PipelineExecutionArn": self._execution.arn})[rest]
            case "Steps":
                step, _, inner = rest.partition(".")
                return walk(self._describe(step), inner)
        raise KeyError(path)

    def _property_file(self, path: str) -> Any:
        """``Steps.Evaluate.PropertyFiles.Evaluation``: a file in an output of the step's job."""
        _, step, _, name = path.split(".", 3)
        declared = self._execution.definition.steps[step].document.get("PropertyFiles") or []
        entry = next((item for item in declared if item.get("PropertyFileName") == name), None)
        if entry is None:
            raise KeyError(path)
        output = walk(self._describe(step), f"ProcessingOutputConfig.Outputs['{entry['OutputName']}'].S3Output.S3Uri")
        return self._json(f"{output.rstrip('/')}/{entry['FilePath']}")

    def _describe(self, step: str) -> dict[str, Any]:
        if step not in self._described:
            state = self._execution.states.get(step)
            if state is None:
                raise KeyError(step)
            if state.outcome:
                return {"Outcome": state.outcome}
            if state.job is None:
                raise KeyError(step)
            self._described[step] = describe_job(self._aws, *state.job)
        return self._described[step]

    def _json(self, uri: str) -> Any:
        bucket, key = split_uri(uri)
        answer = self._aws.s3("get_object", Bucket=bucket, Key=key)
        with answer["Body"] as body:
            if answer["ContentLength"] > LARGEST_PROPERTY_FILE:
                raise KeyError(uri)
            try:
                return json.loads(body.read())
            except ValueError:
                raise KeyError(uri) from None
