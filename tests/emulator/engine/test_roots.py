"""Every root of a ``Get``, in a running execution: what a step's job is given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.paths import Index, Key, Member, PathError, Segment, select
from tests.emulator.engine.fakes import PIPELINE, World, condition, equals, processing, training


def given_to(world: World, arn: str, step: str, member: str = "Environment") -> dict[str, str]:
    """What the job of a step was given, once the execution has succeeded."""
    assert world.wait(arn).status == "Succeeded", world.steps(arn)[step].reason
    for operation, name in (("CreateProcessingJob", "ProcessingJobName"), ("CreateTrainingJob", "TrainingJobName")):
        for request in world.sagemaker.made(operation):
            if f"-{step}-" in request[name]:
                return dict(request[member])
    raise AssertionError(f"{step} has no job")


def gets(**paths: str) -> dict[str, Any]:
    return {"Environment": {name: {"Get": path} for name, path in paths.items()}}


def test_parameters_of_every_type_as_texts(world: World) -> None:
    values = {
        "S": ("String", 'ü "quoted" \\ 文'),
        "I": ("Integer", 2**60 + 1),
        "F": ("Float", 0.1),
        "B": ("Boolean", False),
    }
    parameters = [{"Name": name, "Type": kind, "DefaultValue": value} for name, (kind, value) in values.items()]
    step = processing("A", arguments=gets(**{name: f"Parameters.{name}" for name in values}))
    arn = world.start([step], parameters=parameters)
    assert given_to(world, arn, "A") == {
        "S": 'ü "quoted" \\ 文',
        "I": "1152921504606846977",
        "F": "0.1",
        "B": "false",
    }


def test_variables_of_the_execution(world: World) -> None:
    names = ("PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn", "StartDateTime")
    arn = world.start([processing("A", arguments=gets(**{name: f"Execution.{name}" for name in names}))])
    found = given_to(world, arn, "A")
    assert found["PipelineName"] == "Demo"
    assert found["PipelineArn"] == PIPELINE
    assert found["PipelineExecutionId"] == arn.rpartition("/")[2]
    assert found["PipelineExecutionArn"] == arn
    assert found["StartDateTime"].endswith("Z")


def test_a_job_knows_its_own_name(world: World) -> None:
    process = processing("A", arguments=gets(NAME="Execution.ProcessingJobName"))
    arn = world.start([process, training("T", arguments=gets(NAME="Execution.TrainingJobName"))])
    assert "-A-" in given_to(world, arn, "A")["NAME"]
    assert given_to(world, arn, "T")["NAME"] == world.steps(arn)["T"].arn.rpartition("/")[2]


@pytest.mark.parametrize("path", ["Execution.TrainingJobName", "PipelineExperimentConfig.TrialName"])
def test_a_variable_without_a_value_fails_the_step_and_says_so(world: World, path: str) -> None:
    arn = world.start([processing("A", arguments=gets(V=path))])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["A"].reason == f"ClientError: Unable to resolve {path}: it has no value here"


@pytest.mark.parametrize(
    ("left", "right"),
    [(2**63, 2**63), (2**53 + 1, 2**53 + 1), (1e308, 1e308), (3, 3.0), ("None", "None"), ("'\"", "'\""), (True, True)],
)
def test_values_read_from_s3_compare_as_they_are(world: World, left: Any, right: Any) -> None:
    world.objects.files["s3://bucket/v.json"] = json.dumps({"v": left}).encode()
    read = {"Std:JsonGet": {"S3Uri": "s3://bucket/v.json", "Path": "v"}}
    arn = world.start([condition("C", [equals(read, right)], [processing("Yes")], [processing("No")])])
    assert world.wait(arn).status == "Succeeded"
    assert list(world.steps(arn)) == ["C", "Yes"]


@pytest.mark.parametrize("text", [b'{"v": NaN}', b'{"v": -Infinity}', b"{v: 1}", b"", b"\xff", b"[" * 100_000])
def test_what_is_no_json_to_aws_fails_the_step(world: World, text: bytes) -> None:
    world.objects.files["s3://bucket/v.json"] = text
    read = {"Std:JsonGet": {"S3Uri": "s3://bucket/v.json", "Path": "v"}}
    arn = world.start([condition("C", [equals(read, 1)], [processing("Yes")], [processing("No")])])
    assert world.wait(arn).status == "Failed"
    assert world.steps(arn)["C"].reason.startswith("ClientError: Unable to resolve s3://bucket/v.json: it is not valid")


def test_neighbours_beyond_two_to_the_53_differ(world: World) -> None:
    world.objects.files["s3://bucket/v.json"] = json.dumps({"v": 2**53 + 1}).encode()
    read = {"Std:JsonGet": {"S3Uri": "s3://bucket/v.json", "Path": "v"}}
    arn = world.start([condition("C", [equals(read, 2**53)], [processing("Yes")], [processing("No")])])
    assert world.wait(arn).status == "Succeeded"
    assert list(world.steps(arn)) == ["C", "No"]


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(DOCUMENTS, st.data())
def test_a_path_goes_on_inside_strings_that_hold_json(document: Any, data: st.DataObject) -> None:
    path: list[Segment] = []
    value = document
    while isinstance(value, dict | list) and value and data.draw(st.booleans()):
        if isinstance(value, dict):
            key = data.draw(st.sampled_from(sorted(value)))
            path.append(Key(key))
            value = value[key]
        else:
            number = data.draw(st.integers(0, len(value) - 1))
            path.append(Index(number))
            value = value[number]
    whole = {"text": json.dumps(document)}
    if path:
        assert select(whole, (Member("text"), *path), enter_text=True) == value
        with pytest.raises(PathError):
            select(whole, (Member("text"), *path))
    else:
        assert select(whole, (Member("text"),), enter_text=True) == whole["text"]


def test_text_that_only_looks_like_json_ends_the_path() -> None:
    with pytest.raises(PathError, match="the string is not valid JSON"):
        select({"text": "{no"}, (Member("text"), Member("a")), enter_text=True)
