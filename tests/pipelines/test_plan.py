"""Planning and upserting on the emulator of the session, with hand-written definitions."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.build import BuiltPipeline
from pipelines.connection import Connection
from pipelines.environment import Environment
from pipelines.environments import Endpoint, Target
from pipelines.errors import UsageError
from pipelines.plan import as_document, as_markdown, as_text, make_plan
from pipelines.record import COMMIT, read_record, unstamped
from pipelines.upsert import upsert_pipeline
from pipelines.versions import list_versions, roll_back, version, version_rows
from tests.pipelines.checks.cases import ROLE, tiny

ACCOUNT = "123456789012"
NUMBERS = itertools.count(1)
"""Ends the names of the pipelines, which share an emulator."""


@pytest.fixture
def deployment(sagemaker_variables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    monkeypatch.setenv("GITHUB_SHA", "0123456789abcdef")
    return Deployment(tmp_path, f"-{next(NUMBERS)}")


class Deployment:
    """A small pipeline under a name of its own, and the way to where it is deployed."""

    def __init__(self, root: Path, suffix: str, **settings: Any) -> None:
        self.root, self.suffix = root, suffix
        self.subject = tiny(root).subject()
        manifest = {"pipeline": "tiny", "assets": [{"key": "tiny/assets/abc/script.py", "size": 68}]}
        self.folder = root / "build"
        path = self.folder / "assets/abc/script.py"
        manifest["assets"][0]["size"] = path.stat().st_size  # type: ignore[index]
        self.folder.joinpath("manifest.json").write_text(json.dumps(manifest))
        self.change(lambda definition: None)
        self.connect(**settings)

    def connect(self, **settings: Any) -> None:
        bucket = f"plan{self.suffix}"
        environment = Environment("local", ACCOUNT, "us-east-1", ROLE, bucket, root=self.root, **settings)
        self.connection = Connection(Target(environment, Endpoint()))

    @property
    def name(self) -> str:
        return f"tiny{self.suffix}"

    def change(self, change: Any) -> None:
        change(self.subject.definition)
        self.folder.joinpath("definition.json").write_text(json.dumps(self.subject.definition))
        self.built = BuiltPipeline(self.folder, suffix=self.suffix)

    def upsert(self) -> str:
        return upsert_pipeline(self.built, self.connection, lambda line: None).action

    def describe(self) -> dict[str, Any]:
        return dict(self.connection.sagemaker.describe_pipeline(PipelineName=self.name))


def deepen(definition: dict[str, Any]) -> None:
    definition["Parameters"][1]["DefaultValue"] = 9


def grow(definition: dict[str, Any]) -> None:
    definition["Steps"][1]["Arguments"]["ResourceConfig"]["InstanceType"] = "ml.m5.4xlarge"


def test_a_plan_tells_creation_then_nothing_then_the_change(deployment: Deployment) -> None:
    plan = make_plan(deployment.built, deployment.connection)
    assert (plan.action, plan.is_change, len(plan.assets)) == ("create", True, 1)
    assert deployment.upsert() == "created"
    plan = make_plan(deployment.built, deployment.connection)
    assert (plan.action, plan.is_change, as_text(plan)) == (
        "unchanged",
        False,
        [f"{deployment.name} in local: unchanged"],
    )
    deployment.change(deepen)
    deployment.change(grow)
    plan = make_plan(deployment.built, deployment.connection)
    assert as_text(plan) == [
        f"{deployment.name} in local: 2 changed, 0 assets to upload",
        "  ~ parameter MaxDepth",
        "      DefaultValue: 4 -> 9",
        "  ~ step Train",
        "      Arguments.ResourceConfig.InstanceType: ml.m5.large -> ml.m5.4xlarge",
        "  ! Train loses its cache: default of MaxDepth",
        "  $ Train: 1 x ml.m5.large -> 1 x ml.m5.4xlarge, +0.805 USD per hour (estimate)",
    ]
    assert "| ~ | parameter MaxDepth | `DefaultValue` | 4 | 9 |" in as_markdown(plan)
    assert as_document(plan)["action"] == "update"
    assert deployment.upsert() == "updated"


def test_jobs_that_come_and_go_and_grow_in_number_change_the_price(deployment: Deployment) -> None:
    deployment.upsert()

    def rebuild(definition: dict[str, Any]) -> None:
        definition["Steps"][1]["Arguments"]["ResourceConfig"]["InstanceCount"] = 3
        added = json.loads(json.dumps(definition["Steps"][1])) | {"Name": "Again"}
        added["Arguments"]["ResourceConfig"] = {"InstanceType": "ml.z9.large", "InstanceCount": 1}
        definition["Steps"] = [*definition["Steps"][1:], added]

    deployment.change(rebuild)
    assert make_plan(deployment.built, deployment.connection).prices == (
        "Prepare: 1 x ml.m5.large -> (none), -0.115 USD per hour (estimate)",
        "Train: 1 x ml.m5.large -> 3 x ml.m5.large, +0.23 USD per hour (estimate)",
        "Again: (none) -> 1 x ml.z9.large, price unknown (estimate)",
    )


def test_settings_are_planned_and_kept(deployment: Deployment) -> None:
    deployment.upsert()
    arn = deployment.describe()["PipelineArn"]
    deployment.connection.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "hand", "Value": "made"}])
    deployment.connection.sagemaker.update_pipeline(
        PipelineName=deployment.name, ParallelismConfiguration={"MaxParallelExecutionSteps": 3}
    )
    assert deployment.upsert() == "unchanged"
    deployment.change(deepen)
    assert deployment.upsert() == "updated"
    assert deployment.describe()["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    deployment.connect(tags={"team": "pricing"}, parallelism=5)
    lines = as_text(make_plan(deployment.built, deployment.connection))
    assert "  ~ parallelism" in lines
    assert "  + tag team" in lines
    assert deployment.upsert() == "updated"
    assert make_plan(deployment.built, deployment.connection).action == "unchanged"
    tags = deployment.connection.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"hand": "made", "team": "pricing"}


def test_an_unchanged_upsert_makes_three_requests_and_writes_nothing(deployment: Deployment) -> None:
    deployment.connect(tags={"team": "pricing"})
    deployment.upsert()
    calls: list[str] = []
    for client in (deployment.connection.sagemaker, deployment.connection.s3):
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    assert deployment.upsert() == "unchanged"
    assert calls == ["ListObjectsV2", "DescribePipeline", "ListTags"]


def test_every_version_knows_its_commit_and_can_be_deployed_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.upsert()
    monkeypatch.setenv("GITHUB_SHA", "fedcba9876543210")
    deployment.change(deepen)
    deployment.upsert()
    connection, name = deployment.connection, deployment.name
    found = list_versions(connection, name, 20)
    assert [item["PipelineVersionId"] for item in found] == [2, 1]
    assert [row[2] for row in version_rows(found)[1:]] == ["fedcba987654", "0123456789ab"]
    assert roll_back(connection, name, 1) == 3
    assert roll_back(connection, name, 1) is None
    assert version(connection, name, 3)["Metadata"][COMMIT] == "0123456789abcdef"
    assert version(connection, name, 3)["Parameters"][1]["DefaultValue"] == 4
    with pytest.raises(UsageError, match="has no version 9"):
        version(connection, name, 9)
    assert deployment.upsert() == "updated"


def test_two_upserts_at_once_end_with_one_pipeline(deployment: Deployment) -> None:
    """Each creates while the other has just created."""
    other = Connection(deployment.connection.target)
    done: list[str] = []

    def create_first(**_: Any) -> None:
        if not done:
            done.append("begun")
            done.append(upsert_pipeline(deployment.built, other, lambda line: None).action)

    deployment.connection.sagemaker.meta.events.register("before-call.sagemaker.CreatePipeline", create_first)
    assert deployment.upsert() == "unchanged"
    assert done == ["begun", "created"]


def test_an_update_that_another_holds_up_is_tried_again(deployment: Deployment) -> None:
    deployment.upsert()
    deployment.change(deepen)
    refused: list[str] = []

    def refuse_once(**_: Any) -> None:
        if not refused:
            refused.append("x")
            raise ClientError({"Error": {"Code": "ConflictException", "Message": "being updated"}}, "UpdatePipeline")

    deployment.connection.sagemaker.meta.events.register("before-call.sagemaker.UpdatePipeline", refuse_once)
    assert deployment.upsert() == "updated"
    assert refused


@pytest.mark.parametrize("operation", ["s3.PutObject", "sagemaker.CreatePipeline", "sagemaker.AddTags"])
def test_after_an_interruption_the_next_finishes(deployment: Deployment, operation: str) -> None:
    if operation.endswith("AddTags"):
        deployment.upsert()
    deployment.connect(tags={"team": "pricing"})
    client = getattr(deployment.connection, operation.partition(".")[0])

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    client.meta.events.register(f"before-call.{operation}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        deployment.upsert()
    deployment.connect(tags={"team": "pricing"})
    assert deployment.upsert() in ("created", "updated")
    assert deployment.upsert() == "unchanged"
    assert not make_plan(deployment.built, deployment.connection).is_change


def test_a_definition_over_the_limit_is_refused_with_the_next_command(deployment: Deployment) -> None:
    deployment.change(lambda definition: definition.update(Metadata={"x": "y" * 1_100_000}))
    with pytest.raises(UsageError, match=r"1,048,576 are the limit.*Next: pipelines validate tiny"):
        deployment.upsert()


def test_the_record_is_no_part_of_what_is_compared(deployment: Deployment) -> None:
    deployment.upsert()
    deployed = json.loads(deployment.describe()["PipelineDefinition"])
    assert unstamped(deployed) == deployment.built.definition | {"Metadata": {}}
    assert read_record(deployed).commit == "0123456789abcdef"
    assert replace(deployment.built).deployed_name == deployment.name
