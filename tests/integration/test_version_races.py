"""Many clients change one pipeline, its versions and its alias at the same time, and start it meanwhile."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from tests.integration.small_pipelines import Runner, definition

CLIENTS, ROUNDS = 6, 2
ALIAS = "live"


def says(text: str) -> dict[str, Any]:
    return {"Name": "Say", "Type": "Fail", "Arguments": {"ErrorMessage": text}}


class Crowd:
    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.sagemaker = runner.sagemaker
        self.name = f"raced-{uuid.uuid4().hex[:8]}"
        self.texts = {1: "first"}
        """What each version says, as it was answered."""
        self.live = 1
        self.arn = runner.create(says("first"), name=self.name)
        self._edit(1, {"Add": [ALIAS]})

    def client(self, number: int) -> list[str]:
        """Change, start and move the alias, several times; the executions that were started."""
        return [execution for turn in range(ROUNDS) for execution in self._turn(f"{number}-{turn}")]

    def _turn(self, text: str) -> list[str]:
        answer = self.sagemaker.update_pipeline(PipelineName=self.name, PipelineDefinition=definition(says(text)))
        version = answer["PipelineVersionId"]
        assert version not in self.texts, "a version is made once"
        self.texts[version] = text
        started = [self._start(), self._start(PipelineVersionId=version)]
        with suppress(ClientError):  # another has it, or has taken it away
            self._edit(self.live, {"Remove": [ALIAS]})
            self._edit(version, {"Add": [ALIAS]})
            self.live = version
        with suppress(ClientError):  # nobody has it at this moment
            started.append(self._start(PipelineVersionAlias=ALIAS))
        return started

    def _start(self, **request: Any) -> str:
        arn: str = self.sagemaker.start_pipeline_execution(PipelineName=self.name, **request)["PipelineExecutionArn"]
        return arn

    def _edit(self, version: int, operations: dict[str, list[str]]) -> None:
        self.sagemaker.update_pipeline_version(
            PipelineArn=self.arn, PipelineVersionId=version, PipelineVersionAliasOperations=operations
        )

    def versions(self) -> list[dict[str, Any]]:
        pages = self.sagemaker.get_paginator("list_pipeline_versions").paginate(PipelineName=self.name)
        return [version for page in pages for version in page["PipelineVersionSummaries"]]


def test_every_execution_runs_the_version_that_it_names(runner: Runner) -> None:
    crowd = Crowd(runner)
    with ThreadPoolExecutor(CLIENTS) as pool:
        executions = [arn for started in pool.map(crowd.client, range(CLIENTS)) for arn in started]
    assert sorted(crowd.texts) == list(range(1, CLIENTS * ROUNDS + 2)), "numbered without gaps"
    assert len(executions) >= 2 * CLIENTS * ROUNDS
    for execution in executions:
        version = runner.ended(execution)["PipelineVersionId"]
        assert runner.steps(execution)["Say"]["FailureReason"] == crowd.texts[version]
    versions = crowd.versions()
    assert sorted(version["PipelineVersionId"] for version in versions) == sorted(crowd.texts)
    latest = runner.sagemaker.describe_pipeline(PipelineName=crowd.name)
    assert latest["PipelineDefinition"] == definition(says(crowd.texts[max(crowd.texts)]))
    described = [
        runner.sagemaker.describe_pipeline(PipelineName=crowd.name, PipelineVersionId=version)
        for version in crowd.texts
    ]
    assert sum(ALIAS in (version.get("PipelineVersionAliases") or []) for version in described) <= 1
