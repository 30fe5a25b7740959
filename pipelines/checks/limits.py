"""PL5xx: limits of the service, from the constraints of its API shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipelines.catalog import NAME
from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, nodes

JOBS = ("Processing", "Training", "Transform", "Tuning", "Model", "RegisterModel")
ARGUMENT_LIMIT, ARGUMENTS_LIMIT = 256, 100
ENVIRONMENT_LIMITS = {"Processing": 256, "Training": 512, "Transform": 10_240, "Model": 1024, "RegisterModel": 1024}
ENTRIES_LIMITS = {"Processing": 100, "Training": 100, "Transform": 16, "Model": 100, "RegisterModel": 100}
HYPERPARAMETER_LIMIT, HYPERPARAMETERS_LIMIT = 2500, 100
DEFINITION_LIMIT = 1024 * 1024
COUNTS = {
    "ProcessingInputs": 10,
    "ProcessingOutputConfig.Outputs": 10,
    "InputDataConfig": 20,
    "AlgorithmSpecification.MetricDefinitions": 40,
    "Tags": 50,
}
VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
CHANNEL = re.compile(r"[A-Za-z0-9.\-_]{1,64}")
GROUP = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@check("PL501", "container argument too long")
def long_argument(subject: Subject) -> Iterator[Problem]:
    """256 characters are the limit (API shape ContainerArgument). Pass long values by a file or by the environment."""
    for step, field, value in _texts(subject, r"\.(ContainerArguments|ContainerEntrypoint)\[\d+\]$"):
        if len(value) > ARGUMENT_LIMIT:
            message = f"{len(value)} characters, and {ARGUMENT_LIMIT} are the limit"
            yield Problem(message, "pass it by a file or the environment", step, field)


@check("PL502", "too many container arguments")
def many_arguments(subject: Subject) -> Iterator[Problem]:
    """100 are the limit (API shape ContainerArguments)."""
    for step, arguments in subject.of_type(*JOBS):
        for path, value in nodes(arguments, "Arguments"):
            if path.endswith((".ContainerArguments", ".ContainerEntrypoint")) and len(value or ()) > ARGUMENTS_LIMIT:
                message = f"{len(value)} items, and {ARGUMENTS_LIMIT} are the limit"
                yield Problem(message, "pass them by a file", step, path)


@check("PL503", "environment value too long")
def long_environment_value(subject: Subject) -> Iterator[Problem]:
    """256 characters in processing jobs, 512 in training jobs, 1,024 in models, 10,240 in transform jobs."""
    for step, field, value in _texts(subject, r"\.Environment\.[^.]+$"):
        limit = ENVIRONMENT_LIMITS.get(subject.steps[step]["Type"], 1024)
        if len(value) > limit:
            yield Problem(f"{len(value)} characters, and {limit} are the limit", "pass it by a file", step, field)


@check("PL504", "too many environment variables")
def many_variables(subject: Subject) -> Iterator[Problem]:
    """100 in jobs and models, 16 in transform jobs."""
    for step, field, value in _environments(subject):
        limit = ENTRIES_LIMITS.get(subject.steps[step]["Type"], 100)
        if len(value) > limit:
            yield Problem(f"{len(value)} variables, and {limit} are the limit", "pass them by a file", step, field)


@check("PL505", "name of an environment variable")
def variable_name(subject: Subject) -> Iterator[Problem]:
    """Letters, digits and underscores, not beginning with a digit."""
    for step, field, value in _environments(subject):
        for name in value:
            if not VARIABLE.fullmatch(name):
                message = f"{name!r} cannot be the name of a variable"
                yield Problem(message, "letters, digits and _, no digit first", step, field)


@check("PL506", "hyperparameters over the limit")
def hyperparameters(subject: Subject) -> Iterator[Problem]:
    """100 of 2,500 characters each (API shape HyperParameters)."""
    for step, arguments in subject.of_type("Training"):
        values = arguments.get("HyperParameters") or {}
        field = "Arguments.HyperParameters"
        if len(values) > HYPERPARAMETERS_LIMIT:
            message = f"{len(values)} hyperparameters, and {HYPERPARAMETERS_LIMIT} are the limit"
            yield Problem(message, "put them into a file of the source folder", step, field)
        for name, value in values.items():
            if isinstance(value, str) and len(value) > HYPERPARAMETER_LIMIT:
                message = f"{len(value)} characters, and {HYPERPARAMETER_LIMIT} are the limit"
                yield Problem(message, "put it into a file of the source folder", step, f"{field}.{name}")


@check("PL507", "too many inputs, outputs, channels, metrics or tags")
def counts(subject: Subject) -> Iterator[Problem]:
    """10 inputs and 10 outputs of a processing job, 20 channels and 40 metrics of a training job, 50 tags."""
    for step, arguments in subject.of_type(*JOBS):
        for path, limit in COUNTS.items():
            value: Any = arguments
            for key in path.split("."):
                value = (value or {}).get(key)
            if len(value or ()) > limit:
                message = f"{len(value)} items, and {limit} are the limit"
                yield Problem(message, "join some of them", step, f"Arguments.{path}")


@check("PL508", "definition too large")
def large_definition(subject: Subject) -> Iterator[Problem]:
    """1 MiB is the limit. Move what is long (arguments, inline lists) into files that the steps read."""
    size = len(json.dumps(subject.definition, separators=(",", ":"), ensure_ascii=False).encode())
    if size > DEFINITION_LIMIT:
        yield Problem(f"{size:,} bytes, and {DEFINITION_LIMIT:,} are the limit", "move long values into files")


@check("PL509", "name of the pipeline, a channel or a model package group")
def names(subject: Subject) -> Iterator[Problem]:
    """Pipelines: letters, digits and hyphens. Channels: 64 letters, digits, `.`, `-`, `_`. Groups: 63 letters, digits
    and hyphens."""
    if not NAME.fullmatch(subject.name):
        yield Problem(f"{subject.name!r} cannot be the name of a pipeline", "letters, digits and hyphens")
    for step, field, value in _texts(subject, r"\.InputDataConfig\[\d+\]\.ChannelName$"):
        if not CHANNEL.fullmatch(value):
            yield Problem(f"{value!r} cannot be the name of a channel", "64 letters, digits, . - _", step, field)
    for step, field, value in _texts(subject, r"\.ModelPackageGroupName$"):
        if not GROUP.fullmatch(value.rpartition("/")[2]):
            yield Problem(f"{value!r} cannot be the name of a group", "63 letters, digits and hyphens", step, field)


def _texts(subject: Subject, field: str) -> Iterator[tuple[str, str, str]]:
    """Step, field and value of every literal string whose field matches a pattern."""
    pattern = re.compile(field)
    for step, arguments in subject.of_type(*JOBS):
        for path, value in nodes(arguments, "Arguments"):
            if isinstance(value, str) and pattern.search(path):
                yield step, path, value


def _environments(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for step, arguments in subject.of_type(*JOBS):
        for path, value in nodes(arguments, "Arguments"):
            if path.endswith(".Environment") and isinstance(value, dict):
                yield step, path, value
