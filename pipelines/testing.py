"""The pytest plugin: an emulator, and pipelines that are built, run on small data and looked at.

Installed as the entry point ``pytest11``; docs/testing.md shows how to use it. The emulator is started by its command
and reached by its endpoint: nothing of it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pipelines.connection import Connection
    from pipelines.definition import Step

Data = Mapping[str, "bytes | str | Path"]
LOCAL = "local"


@dataclass(frozen=True)
class PipelineRun:
    """An execution that has ended."""

    arn: str
    status: str
    steps: dict[str, str]
    """Status of each step that began, by name, in the order in which they began."""
    cached: frozenset[str]
    """Steps whose results were taken from an earlier execution."""
    reasons: dict[str, str]
    """Why steps failed."""
    connection: Connection = field(repr=False)
    _steps: list[dict[str, Any]] = field(repr=False)

    def job(self, step: str) -> dict[str, Any]:
        """The Describe response of a step's job."""
        from pipelines.jobs import describe_job, job_of

        found = job_of(next(item for item in self._steps if item["StepName"] == step))
        if found is None:
            raise LookupError(f"step {step} runs no job")
        return describe_job(self.connection, *found)

    def output(self, step: str, name: str, file: str) -> bytes:
        """A file in an output of a processing step."""
        from pipelines.storage import parse_uri

        outputs = self.job(step)["ProcessingOutputConfig"]["Outputs"]
        uri = next(item["S3Output"]["S3Uri"] for item in outputs if item["OutputName"] == name)
        bucket, key = parse_uri(f"{uri.rstrip('/')}/{file}")
        content: bytes = self.connection.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def output_json(self, step: str, name: str, file: str) -> Any:
        """A JSON file in an output of a processing step."""
        return json.loads(self.output(step, name, file))

    def log(self, step: str) -> list[str]:
        """The lines of a step's log."""
        from pipelines.logs import read_log

        return list(read_log(self.connection, next(item for item in self._steps if item["StepName"] == step)))

    def model_package(self) -> dict[str, Any]:
        """The model package that the execution registered (DescribeModelPackage)."""
        from pipelines.report import model_package

        arn = model_package(self._steps)
        if arn is None:
            raise LookupError("the execution registered no model package")
        answer: dict[str, Any] = self.connection.sagemaker.describe_model_package(ModelPackageName=arn)
        return answer


class PipelineUnderTest:
    """One pipeline of the checkout, on the emulator of the session."""

    def __init__(self, root: Path, name: str) -> None:
        from pipelines.connection import Connection
        from pipelines.environments import load_target

        self.name = name
        self._root = root
        self._target = load_target(root, LOCAL)
        self.connection = Connection(self._target)

    @cached_property
    def definition(self) -> dict[str, Any]:
        """The definition as it is built."""
        document: dict[str, Any] = self._built.definition
        return document

    @property
    def steps(self) -> dict[str, Step]:
        """The graph: each step by name, with its type, what it waits for (``after``) and its ``branch``."""
        from pipelines.definition import steps

        return {step.name: step for step in steps(self.definition)}

    def put(self, data: Data, parameter: str = "InputDataUri") -> str:
        """Put files where the parameter's default points, in place of what is there; the URI."""
        from pipelines.definition import parameters
        from pipelines.storage import ensure_bucket, parse_uri, stored_sizes

        uri = str(next(item.default for item in parameters(self.definition) if item.name == parameter))
        bucket, prefix = parse_uri(uri)
        base = prefix.rstrip("/") + "/"
        ensure_bucket(self.connection, bucket, self._target.environment.region)
        for key in set(stored_sizes(self.connection, bucket, base)) - {base + name for name in data}:
            self.connection.s3.delete_object(Bucket=bucket, Key=key)
        for name, content in data.items():
            body = content.read_bytes() if isinstance(content, Path) else content
            self.connection.s3.put_object(Bucket=bucket, Key=base + name, Body=body)
        return uri

    def run(self, **parameters: object) -> PipelineRun:
        """Upsert the pipeline, start it with these parameters and wait for its end."""
        from pipelines.execution import start_execution
        from pipelines.follow import follow_execution
        from pipelines.upsert import upsert_pipeline

        upsert_pipeline(self._built, self.connection, print)
        given = [f"{name}={value}" for name, value in parameters.items()]
        arn = start_execution(self.connection, self.name, given)
        ended = follow_execution(self.connection, arn, _Silent())
        return PipelineRun(
            arn,
            ended.status,
            {step["StepName"]: step["StepStatus"] for step in ended.steps},
            frozenset(step["StepName"] for step in ended.steps if step.get("CacheHitResult")),
            {step["StepName"]: step["FailureReason"] for step in ended.steps if step.get("FailureReason")},
            self.connection,
            ended.steps,
        )

    @cached_property
    def _built(self) -> Any:
        from pipelines.build import build_pipeline
        from pipelines.catalog import find_pipeline

        source = find_pipeline(self._root, self.name)
        return build_pipeline(source, self._target.environment, self._root / "build", print)


class _Silent:
    def update(self, steps: list[dict[str, Any]], *, ended: bool = False) -> None:
        """A view that shows nothing."""


@pytest.fixture(scope="session")
def pipelines_root() -> Path:
    """The checkout whose pipelines are tested; override it to test another's."""
    from pipelines.project import find_root

    return find_root()


@pytest.fixture(scope="session")
def sagemaker_emulator(
    pipelines_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str | None]]:
    """An emulator of its own for the session, with the checkout's images: the variables by which programs reach it.

    A variable that is None must not be set.
    """
    from pipelines.endpoint import find_program

    program = find_program("emulator")
    if program is None:
        pytest.fail("the command `emulator` is not there: pip install -e '.[emulator]'", pytrace=False)
    place = ["--data-dir", str(tmp_path_factory.mktemp("emulator"))]
    environ = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    command = [program, "start", "--port", "0", *place]
    subprocess.run(command, env=environ, cwd=pipelines_root, check=True, capture_output=True, text=True)
    try:
        printed = subprocess.run(
            [program, "env", "--format", "json", *place], env=environ, check=True, capture_output=True, text=True
        )
        yield dict(json.loads(printed.stdout))
    finally:
        subprocess.run([program, "stop", *place], env=environ, check=True, capture_output=True)


@pytest.fixture
def sagemaker_variables(sagemaker_emulator: dict[str, str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets boto3, and whatever else the test starts, reach the session's emulator."""
    for name, value in sagemaker_emulator.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


@pytest.fixture
def pipeline_under_test(sagemaker_variables: None, pipelines_root: Path) -> Callable[[str], PipelineUnderTest]:
    """Gives a pipeline of the checkout by name, on the session's emulator."""
    return lambda name: PipelineUnderTest(pipelines_root, name)
