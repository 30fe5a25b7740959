"""What names in expressions mean in one execution."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from emulator.aws.documents import read_json
from emulator.aws.errors import AwsError
from emulator.engine.definition import Definition, Iteration
from emulator.engine.errors import ExpressionError, ParameterError
from emulator.engine.expressions import Environment, Reference, as_text, evaluate
from emulator.engine.parameters import Value
from emulator.engine.paths import Member, PathError, parse_path, select


class Reader(Protocol):
    """The object store, as far as expressions read it; raises AwsError."""

    def read(self, bucket: str, key: str) -> bytes: ...


class ExecutionEnvironment(Environment):
    """``variables`` are those of ``Execution.``; ``properties`` gives a step's, None while it has none.

    For a child of a ForEach step (``iteration``), the steps of the body are those of its own iteration.
    """

    def __init__(
        self,
        definition: Definition,
        parameters: Mapping[str, Value],
        variables: Mapping[str, str],
        properties: Callable[[str], dict[str, Any] | None],
        objects: Reader,
        iteration: Iteration | None = None,
    ) -> None:
        self._iteration = iteration
        self._definition = definition
        self._parameters = parameters
        self._variables = variables
        self._properties = properties
        self._objects = objects

    def lookup(self, reference: Reference) -> Any:
        match reference.root:
            case "Parameters":
                return _known(reference, self._parameters)
            case "Execution" if reference.name == "CurrentDateTime":
                return timestamp(datetime.now(UTC).timestamp())
            case "Execution":
                return _known(reference, self._variables)
            case "PipelineExperimentConfig":
                return evaluate(_known(reference, self._definition.experiment), self)
            case "ForEach" if self._iteration is not None:
                return _selected(reference, _known(reference, {"CurrentItem": self._iteration.item}))
            case "Steps":
                return self._property(reference)
            case _:
                raise ExpressionError(reference.text, "it has no value here")

    def _property(self, reference: Reference) -> Any:
        name = reference.name
        if self._iteration is not None:
            name = self._iteration.siblings.get(name, name)
        properties = self._properties(name)
        if properties is None:
            raise ExpressionError(reference.text, f"step '{name}' has no properties in this execution")
        return _selected(reference, properties)

    def property_file(self, reference: Reference) -> Any:
        step = self._definition.step(reference.name)
        assert step is not None, f"{reference.text} was checked when the pipeline was created"
        match reference.path:
            case (Member("PropertyFiles"), segment) if getattr(segment, "name", None) in step.property_files:
                file = step.property_files[segment.name]  # type: ignore[union-attr]
            case _:
                raise ExpressionError(reference.text, f"step '{step.name}' has no such property file")
        path = f"ProcessingOutputConfig.Outputs['{file.output}'].S3Output.S3Uri"
        folder = self._property(Reference(f"Steps.{step.name}.{path}", "Steps", step.name, parse_path(path)))
        return self.document(f"{as_text(folder).rstrip('/')}/{file.path.lstrip('/')}")

    def document(self, uri: str) -> Any:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not key:
            raise ExpressionError(uri, "it is not the S3 URI of an object")
        try:
            return read_json(self._objects.read(bucket, key))
        except AwsError as error:
            raise ExpressionError(uri, f"it cannot be read: {error.code}: {error.message}") from None
        except ValueError as error:
            raise ExpressionError(uri, f"it is not valid JSON: {error}") from None


class _NoObjects:
    def read(self, bucket: str, key: str) -> bytes:
        raise AwsError(f"s3://{bucket}/{key} cannot be read here", code="NotImplemented")


_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}")
"""Of experiments and trials (API shape ExperimentEntityName)."""


def experiment_of(
    definition: Definition, parameters: Mapping[str, Value], variables: Mapping[str, str]
) -> dict[str, str]:
    """The experiment and trial that an execution belongs to; the service writes experiment names in lower case.

    Raises:
        ParameterError: the definition asks for what is not known before the execution starts, or a name is none.
    """
    names = _known_at_start(definition.experiment, definition, parameters, variables)
    for member, name in names.items():
        if not _NAME.fullmatch(name):
            raise ParameterError(
                f"Value '{name}' at 'PipelineExperimentConfig.{member}' failed to satisfy constraint: Member must"
                f" satisfy regular expression pattern: {_NAME.pattern}"
            )
    if "ExperimentName" in names:
        names["ExperimentName"] = names["ExperimentName"].lower()
    return names


def mlflow_of(
    definition: Definition, parameters: Mapping[str, Value], variables: Mapping[str, str], experiment: str | None
) -> dict[str, str]:
    """The MLflow server and experiment of an execution; ``experiment`` is what its start asks for instead.

    Raises:
        ParameterError: the definition asks for what is not known before the execution starts.
    """
    config = _known_at_start(definition.mlflow, definition, parameters, variables)
    return config | ({"MlflowExperimentName": experiment} if experiment is not None else {})


def _known_at_start(
    members: Mapping[str, Any], definition: Definition, parameters: Mapping[str, Value], variables: Mapping[str, str]
) -> dict[str, str]:
    environment = ExecutionEnvironment(definition, parameters, variables, lambda step: None, _NoObjects())
    try:
        return {member: as_text(evaluate(value, environment)) for member, value in members.items()}
    except ExpressionError as error:
        raise ParameterError(str(error)) from None


def _selected(reference: Reference, document: Any) -> Any:
    try:
        return select(document, reference.path, enter_text=True)
    except PathError as error:
        raise ExpressionError(reference.text, str(error)) from None


def _known(reference: Reference, values: Mapping[str, Any]) -> Any:
    if reference.name not in values:
        raise ExpressionError(reference.text, "it has no value here")
    return values[reference.name]


def timestamp(seconds: float) -> str:
    """Unix seconds as an ISO 8601 string in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
