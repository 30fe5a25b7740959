"""Expressions of a definition: ``Get``, ``Std:Join`` and ``Std:JsonGet``, at any depth of a step's arguments.

What names mean is asked of an ``Environment``; types are preserved, so an Integer parameter stays a number until
the API asks for a string. An operand without a value is an error that names it, never a default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from emulator.engine.errors import ExpressionError
from emulator.engine.paths import Path, PathError, parse_path, select

GET = "Get"
JOIN = "Std:Join"
JSON_GET = "Std:JsonGet"
ROOTS = ("Parameters", "Execution", "PipelineExperimentConfig", "Steps", "ForEach", "IterationOutput")
EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
EXPERIMENT_VARIABLES = ("ExperimentName", "TrialName")


@dataclass(frozen=True, slots=True)
class Reference:
    """``root.name`` and the path from there: ``Steps``, ``Train``, ``ModelArtifacts.S3ModelArtifacts``."""

    text: str
    root: str
    name: str
    path: Path


class Environment(Protocol):
    """What references mean in one execution; each raises ExpressionError where there is nothing."""

    def lookup(self, reference: Reference) -> Any: ...

    def property_file(self, reference: Reference) -> Any:
        """The JSON document of ``Steps.S.PropertyFiles.P``."""
        ...

    def document(self, uri: str) -> Any:
        """The JSON document at an S3 URI."""
        ...


@lru_cache(maxsize=4096)
def parse_reference(text: str) -> Reference:
    """Take the operand of a ``Get`` apart.

    Raises:
        PathError: it is malformed or its root is unknown.
    """
    root, _, rest = text.partition(".")
    if root not in ROOTS:
        raise PathError(f"'{text}' does not begin with one of {', '.join(f'{root}.' for root in ROOTS)}")
    name, separator, path = _split_name(rest)
    if not name:
        raise PathError(f"'{text}' names nothing after '{root}.'")
    if separator and not path:
        raise PathError(f"'{text}' ends in '{separator}'")
    return Reference(text, root, name, parse_path(path))


def _split_name(rest: str) -> tuple[str, str, str]:
    ends = [position for position in (rest.find("."), rest.find("[")) if position >= 0]
    if not ends:
        return rest, "", ""
    end = min(ends)
    return rest[:end], rest[end], rest[end + 1 :] if rest[end] == "." else rest[end:]


def is_expression(value: Any) -> bool:
    """Is this object an expression, not a value?"""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    (key,) = value
    return key.startswith("Std:") or (key == GET and isinstance(value[key], str))


def evaluate(value: Any, environment: Environment) -> Any:
    """The value with every expression in it replaced by what it means.

    Raises:
        ExpressionError: an operand cannot be resolved.
    """
    if isinstance(value, dict):
        if not is_expression(value):
            return {key: evaluate(item, environment) for key, item in value.items()}
        ((function, operand),) = value.items()
        return _FUNCTIONS[function](operand, environment)
    if isinstance(value, list):
        return [evaluate(item, environment) for item in value]
    return value


def _get(operand: str, environment: Environment) -> Any:
    try:
        return environment.lookup(parse_reference(operand))
    except PathError as error:
        raise ExpressionError(operand, str(error)) from None


def _join(operand: dict[str, Any], environment: Environment) -> str:
    values = evaluate(operand["Values"], environment)
    if not isinstance(values, list):
        raise ExpressionError(f"{JOIN} on {operand['Values']}", f"expected a list to join, not {as_text(values)}")
    return as_text(evaluate(operand.get("On", ""), environment)).join(map(as_text, values))


def _json_get(operand: dict[str, Any], environment: Environment) -> Any:
    path = as_text(evaluate(operand["Path"], environment))
    source: str
    if operand.get("S3Uri") is not None:
        source = as_text(evaluate(operand["S3Uri"], environment))
        document = environment.document(source)
    else:
        source = operand["PropertyFile"][GET]
        document = environment.property_file(parse_reference(source))
    try:
        return select(document, parse_path(path.removeprefix("$").removeprefix(".")))
    except PathError as error:
        raise ExpressionError(f"{JSON_GET} of path '{path}' in {source}", str(error)) from None


_FUNCTIONS: dict[str, Callable[[Any, Environment], Any]] = {GET: _get, JOIN: _join, JSON_GET: _json_get}


def as_text(value: Any) -> str:
    """A value as AWS writes it into a string: ``true``, ``3``, ``0.5``; objects and lists as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def references(value: Any, field: str = "") -> Iterator[tuple[Any, str]]:
    """Every expression in a value, outermost first, with the field that holds it (``Arguments.RoleArn``)."""
    if is_expression(value):
        yield value, field
    if isinstance(value, dict):
        for key, item in value.items():
            yield from references(item, f"{field}.{key}" if field else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from references(item, f"{field}[{number}]")
