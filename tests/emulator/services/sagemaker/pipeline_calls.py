"""Calls pipeline operations with a real engine and store, without the wire; jobs are faked."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

from emulator.aws import operations
from emulator.aws.errors import AwsError
from emulator.engine.engine import Engine
from emulator.services.context import App, Context
from emulator.services.sagemaker import pipeline_executions, pipeline_versions, pipelines, tags
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.objects import ObjectStore
from emulator.store.resources import SCHEMA, Resources, Scope
from tests.emulator.engine.fakes import ENDED, ROLE, SCOPE, FakeSageMaker, eventually, processing, text_of

MODULES = (pipelines, pipeline_executions, pipeline_versions, tags)


class Pipelines:
    """``pipelines.DescribePipeline(PipelineName="flights")`` calls that operation."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.database = Database(root / "state.db", SCHEMA)
        self.resources = Resources(self.database)
        self.objects = ObjectStore(root / "objects")
        loaded = Settings.load({}, data_dir=root, **settings)
        self.engine = Engine(self.resources, self.objects, loaded)
        self.sagemaker = FakeSageMaker(self.resources)
        self.engine.bind(self.sagemaker, self.sagemaker.warm_up)
        unused = cast(Any, None)
        self.app = App(loaded, self.resources, self.objects, unused, unused, self.engine, self.sagemaker)
        self._tokens = itertools.count()

    def token(self) -> str:
        """A ClientRequestToken that was not used before."""
        return f"token-{next(self._tokens):040d}"

    def call(self, operation: str, request: dict[str, Any], scope: Scope = SCOPE) -> dict[str, Any]:
        found = operations.find("sagemaker", operation)
        assert found is not None, operation
        return found.handler(request, Context(scope, "request-1", self.app))

    def __getattr__(self, operation: str) -> Any:
        return lambda **request: self.call(operation, request)

    def fails(self, operation: str, **request: Any) -> AwsError:
        """The error that the operation answers with."""
        try:
            self.call(operation, request)
        except AwsError as error:
            return error
        raise AssertionError(f"{operation} did not fail")

    def create(self, name: str = "Flights", steps: list[dict[str, Any]] | None = None, **members: Any) -> str:
        """Create a pipeline of steps (one Processing step by default); its ARN."""
        parts = members.pop("parts", {})
        request = {
            "PipelineName": name,
            "PipelineDefinition": text_of(steps or [processing("A")], **parts),
            "RoleArn": ROLE,
            "ClientRequestToken": self.token(),
        }
        return str(self.call("CreatePipeline", request | members)["PipelineArn"])

    def start(self, name: str = "Flights", **members: Any) -> str:
        """Start an execution; its ARN."""
        request = {"PipelineName": name, "ClientRequestToken": self.token(), **members}
        return str(self.call("StartPipelineExecution", request)["PipelineExecutionArn"])

    def wait(self, arn: str) -> dict[str, Any]:
        """Wait for the end of an execution; its description."""
        eventually(lambda: self.describe(arn)["PipelineExecutionStatus"] in ENDED)
        return self.describe(arn)

    def describe(self, arn: str) -> dict[str, Any]:
        return self.call("DescribePipelineExecution", {"PipelineExecutionArn": arn})

    def steps(self, arn: str, **members: Any) -> list[dict[str, Any]]:
        request = {"PipelineExecutionArn": arn, **members}
        return list(self.call("ListPipelineExecutionSteps", request)["PipelineExecutionSteps"])

    def close(self) -> None:
        self.engine.close()
        self.database.close()
