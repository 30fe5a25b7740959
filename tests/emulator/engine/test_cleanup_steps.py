"""Cleanup steps, on a real object store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import ValidationException
from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from emulator.engine.graph import Graph
from tests.emulator.engine.fakes import condition, equals, processing, text_of, training
from tests.emulator.engine.real_operations import RealWorld, real_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RealWorld]:
    with real_world(tmp_path) as world:
        yield world


def cleanup(*sources: Any, **more: Any) -> dict[str, Any]:
    return {"Name": "Clean", "Type": "Cleanup", "Arguments": {"Resources": {"S3": list(sources)}}, **more}


def outputs_of(world: RealWorld, arn: str, step: str) -> str:
    """The folder of a training job's outputs, as a key."""
    return f"models/{world.steps(arn)[step].arn.rpartition('/')[2]}/output/"


def test_outputs_of_a_training_step_are_deleted_and_nothing_else(world: RealWorld) -> None:
    world.sagemaker.fates = {"Train": "hold"}
    arn = world.start([training("Train"), cleanup({"StepName": "Train"})])
    world.wait_for(arn, Train="Executing")
    folder = outputs_of(world, arn, "Train")
    world.put(f"{folder}model.tar.gz", f"{folder}output.tar.gz", f"{folder[:-1]}-kept", "models/other/output/model")
    world.sagemaker.end("Train")

    assert world.wait(arn).status == "Succeeded"
    assert world.keys() == sorted([f"{folder[:-1]}-kept", "models/other/output/model"])
    assert world.steps(arn)["Clean"].metadata == {
        "Cleanup": {"CleanedSteps": ["Train"], "FailedSteps": [], "SkippedSteps": []}
    }


def test_named_objects_of_a_processing_step_are_deleted(world: RealWorld) -> None:
    folder = {"Get": "Steps.A.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
    uris = [{"Std:Join": {"On": "/", "Values": [folder, name]}} for name in ("a.csv", "gone.csv")]
    world.sagemaker.fates = {"A": "hold"}
    arn = world.start([processing("A"), cleanup({"StepName": "A", "S3Uris": uris})])
    execution = arn.rpartition("/")[2]
    world.wait_for(arn, A="Executing")
    world.put(f"{execution}/A/a.csv", f"{execution}/A/b.csv")
    world.sagemaker.end("A")
    assert world.wait(arn).status == "Succeeded"
    assert world.keys() == [f"{execution}/A/b.csv", f"{execution}/A/evaluation.json"]


def test_an_object_elsewhere_is_not_deleted(world: RealWorld) -> None:
    world.put("precious.csv")
    arn = world.start([processing("A"), cleanup({"StepName": "A", "S3Uris": ["s3://bucket/precious.csv"]})])
    assert world.wait(arn).status == "Failed"
    assert world.store_of_objects.read("bucket", "precious.csv")
    step = world.steps(arn)["Clean"]
    (failure,) = step.metadata["Cleanup"]["FailedSteps"]
    assert (failure["StepName"], failure["ErrorCode"]) == ("A", "ClientError")
    assert "s3://bucket/precious.csv is not in an output of the step" in step.reason


def test_what_is_no_uri_is_in_no_output(world: RealWorld) -> None:
    arn = world.start([processing("A"), cleanup({"StepName": "A", "S3Uris": [{"Get": "Steps.A"}]})])
    assert world.wait(arn).status == "Failed"
    assert "is not in an output of the step" in world.steps(arn)["Clean"].reason


def test_a_source_that_ran_and_failed_is_cleaned_one_that_did_not_start_is_skipped(world: RealWorld) -> None:
    world.sagemaker.fates = {"Train": "Failed"}
    world.sagemaker.refuse = {"CreateProcessingJob": ValidationException("no")}
    anyhow = [{"Step": name, "Trigger": "Any"} for name in ("Train", "A")]
    sources = [{"StepName": "Train"}, {"StepName": "A", "S3Uris": ["s3://bucket/x"]}]
    arn = world.start([training("Train"), processing("A"), cleanup(*sources, DependsOn=anyhow)])
    world.wait(arn)
    assert world.steps(arn)["Clean"].metadata["Cleanup"] == {
        "CleanedSteps": ["Train"],
        "FailedSteps": [],
        "SkippedSteps": ["A"],
    }


def test_sources_are_dependencies() -> None:
    definition = read_definition(text_of([cleanup({"StepName": "Train"}), training("Train")]))
    assert Graph.of(definition).needs["Clean"] == {"Train"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"StepName": "Nowhere"}, "Unknown step 'Nowhere'."),
        ({"StepName": 7}, "Unknown step '7'."),
        ({}, "A source has the members StepName and S3Uris."),
        ({"StepName": "Train", "S3Uris": ["s3://bucket/x"]}, "S3Uris are not for Training steps"),
        ({"StepName": "A"}, "S3Uris must name what a Processing step wrote."),
        ({"StepName": "A", "S3Uris": []}, "S3Uris must name what a Processing step wrote."),
        ({"StepName": "C"}, "The outputs of 'C', a step of type 'Condition', cannot be cleaned up here."),
        ({"StepName": "Private"}, "Step 'Private' has a VpcConfig: it cannot be cleaned up."),
    ],
)
def test_sources_that_cannot_be_cleaned_are_refused(source: dict[str, Any], reason: str) -> None:
    vpc = {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}
    others = [training("Train"), processing("A"), condition("C", [equals(1, 1)]), training("Private", arguments=vpc)]
    with pytest.raises(DefinitionError) as raised:
        check_definition(read_definition(text_of([*others, cleanup(source)])))
    assert reason in raised.value.message
    assert "step 'Clean'" in raised.value.message


@pytest.mark.parametrize("arguments", [{}, {"Resources": {}}, {"Resources": {"S3": []}}, {"Resources": {"Efs": []}}])
def test_a_step_without_sources_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="cleanup step"):
        check_definition(read_definition(text_of([{"Name": "C", "Type": "Cleanup", "Arguments": arguments}])))
