"""Every command on a run that has been: the text for people, and one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipelines.build import BuiltPipeline
from pipelines.environments import load_target
from tests.pipelines.conftest import Cli

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
Json = Callable[..., Any]


@pytest.fixture
def read(cli: Cli, built: BuiltPipeline) -> Json:
    """The document that a command prints."""

    def run(*arguments: str, code: int = 0) -> Any:
        result = cli(built.folder.parents[2], *arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def deploy(sagemaker_variables: None, pipelines_root: Path) -> Callable[[str, str], None]:
    """Creates a pipeline with one job, which runs a line of Python on two instances."""
    return lambda name, line: create(name, line, load_target(pipelines_root, "local").environment.image("processing"))


def create(name: str, line: str, image: str) -> None:
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10}
    step = {
        "Name": "Greet",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["python3", "-c", line]},
            "RoleArn": ROLE,
        },
    }
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker = boto3.client("sagemaker", region_name="us-east-1")
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=ROLE)


def test_a_run_can_be_looked_at_and_deleted(
    cli: Cli, built: BuiltPipeline, read: Json, deploy: Callable[[str, str], None]
) -> None:
    root = built.folder.parents[2]
    deploy("demo", "print('hello')")
    document = read("start", "demo", "--wait")
    execution = document["arn"]
    assert document["status"] == "Succeeded"
    (step,) = read("steps", "demo")
    assert (step["StepName"], step["StepStatus"]) == ("Greet", "Succeeded")
    (log,) = read("logs", "demo")
    said = [line for line in log["lines"] if not line.startswith("emulator: ")]  # as where the image is built first
    assert (log["step"], log["status"], said) == ("Greet", "Succeeded", ["hello", "hello"])
    assert "caching is off" in read("why", "demo", "Greet")["explanation"][0]
    assert [each["PipelineExecutionArn"] for each in read("executions", "demo")] == [execution]
    assert read("follow", execution)["steps"][0]["StepName"] == "Greet"
    assert read("show", "demo", "--deployed")["Steps"][0]["Name"] == "Greet"

    (cost,) = read("cost", "demo")["steps"]
    assert (cost["step"], cost["instance"], cost["count"]) == ("Greet", "ml.m5.xlarge", 2)
    assert 0 < cost["hours"] < 0.05
    assert cost["dollars"] == pytest.approx(2 * 0.23 * cost["hours"])
    text = cli(root, "cost", execution).output
    assert "Estimate: prices of 2025-01-26" in text
    assert "On the emulator the same run costs 0.0000 USD and" in text

    assert cli(root, "delete", "demo").exit_code == 1  # nobody said yes
    assert cli(root, "executions", "demo").exit_code == 0
    assert read("delete", "demo", "--yes") == [{"arn": execution.rpartition("/execution/")[0]}]
    gone = cli(root, "executions", "demo")
    assert gone.exit_code == 2
    assert "There is no pipeline 'demo'" in gone.output


def test_a_deployment_is_told_step_by_step(read: Json, built: BuiltPipeline, sagemaker_variables: None) -> None:
    suffix = ("--suffix", "told")
    assert [each["name"] for each in read("list")] == ["tiny"]
    assert read("build", "tiny")[0]["state"] == "unchanged"
    assert read("show", "tiny") == built.definition
    assert {each["level"] for each in read("validate", "tiny")} <= {"warning"}
    assert [each["code"] for each in read("validate", "--list")][:2] == ["PL100", "PL101"]
    assert read("plan", "tiny", *suffix, code=2)[0]["action"] == "create"
    assert [each["action"] for each in read("upsert", "--all", *suffix)] == ["created"]
    assert read("plan", "tiny", *suffix)[0]["action"] == "unchanged"
    (version,) = read("history", "tiny", *suffix)
    assert version["PipelineVersionId"] == 1
    assert version["Record"]["digest"]
    assert read("diff", "tiny", "1", "1", *suffix) == []
    assert read("rollback", "tiny", "1", *suffix)["version"] is None
    assert {each["step"] for each in read("cost", "tiny")["steps"]} == {"Prepare", "Train", "Evaluate"}
    assert read("policy", "tiny", "--role", "ci")["Version"] == "2012-10-17"
    assert len(read("delete", "--all", "--yes", *suffix)) == 1
    assert read("delete", "--all", "--yes", *suffix) == []  # the branch has gone, and its copy with it


def test_a_run_can_be_stopped(read: Json, deploy: Callable[[str, str], None]) -> None:
    deploy("slow", "import time; time.sleep(60)")
    arn = read("start", "slow")["arn"]
    assert read("stop", arn) == {"arn": arn}
    assert read("follow", arn, code=4)["status"] == "Stopped"


def test_the_registry_is_told(read: Json, sagemaker_variables: None) -> None:
    sagemaker = boto3.client("sagemaker", region_name="us-east-1")
    sagemaker.create_model_package_group(ModelPackageGroupName="told-models")
    specification = {
        "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/small:1"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="told-models",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=specification,
    )["ModelPackageArn"]
    assert "told-models" in [each["ModelPackageGroupName"] for each in read("models")]
    assert [each["ModelPackageArn"] for each in read("models", "told-models")] == [arn]
    assert read("reject", "told-models/1") == {"arn": arn, "before": "PendingManualApproval", "now": "Rejected"}
    assert read("approve", arn)["now"] == "Approved"


def test_a_new_pipeline_is_told(cli: Cli, project: Path) -> None:
    document = json.loads(cli(project, "new", "churn", "--json").stdout)
    assert "pipelines/churn/pipeline.py" in document["wrote"]


def test_errors_go_to_standard_error_and_leave_the_output_empty(cli: Cli, project: Path) -> None:
    result = cli(project, "build", "nothing", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: There is no pipeline 'nothing'")


def test_neither_names_nor_all_is_wrong_usage(cli: Cli, project: Path) -> None:
    for arguments in (("upsert",), ("upsert", "tiny", "--all")):
        result = cli(project, *arguments)
        assert (result.exit_code, "give --all" in result.output) == (2, True)
