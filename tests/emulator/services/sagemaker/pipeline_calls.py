"""Calls pipeline operations with a real engine and store, without the wire; jobs are faked."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

from emulator.engine.engine import Engine
from emulator.services.context import App
from emulator.services.sagemaker import pipeline_executions, pipeline_versions, pipelines, tags
from emulator.settings import Settings
from tests.emulator.engine.fakes import ENDED, ROLE, SCOPE, FakeSageMaker, eventually, processing, text_of
from tests.emulator.services.sagemaker.direct_calls import DirectCalls

MODULES = (pipelines, pipeline_executions, pipeline_versions, tags)


class Pipelines(DirectCalls):
    scope = SCOPE

    def __init__(self, root: Path, **settings: Any) -> None:
        super().__init__(root)
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
        super().close()
