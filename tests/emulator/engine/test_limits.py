"""How large a definition may be, and what it says that is too large."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import MAX_BYTES, read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import World, condition, equals, fail, processing, text_of, training


def refused(steps: list[dict[str, Any]], **members: Any) -> str:
    with pytest.raises(DefinitionError) as raised:
        check_definition(read_definition(text_of(steps, **members)))
    return raised.value.message


def accept(steps: list[dict[str, Any]], **members: Any) -> None:
    check_definition(read_definition(text_of(steps, **members)))


def test_a_definition_has_at_most_one_mebibyte() -> None:
    text = text_of([fail("F", "")], Metadata={"pad": ""})
    pad = "x" * (MAX_BYTES - len(text))
    read_definition(text_of([fail("F", "")], Metadata={"pad": pad}))
    with pytest.raises(DefinitionError, match="longer than 1048576 bytes"):
        read_definition(text_of([fail("F", "")], Metadata={"pad": pad + "x"}))


def test_bytes_count_not_characters() -> None:
    with pytest.raises(DefinitionError, match="longer than"):
        read_definition(
            json.dumps({"Steps": [fail("F", "")], "Metadata": {"pad": "ü" * MAX_BYTES}}, ensure_ascii=False)
        )


def test_a_pipeline_has_at_most_200_parameters() -> None:
    parameters = [{"Name": f"P{number}", "Type": "String"} for number in range(201)]
    accept([fail("F", "")], Parameters=parameters[:200])
    message = refused([fail("F", "")], Parameters=parameters)
    assert "A pipeline has at most 200 parameters; this has 201. (field Parameters)" in message


@pytest.mark.parametrize("member", ["DefaultValue", "EnumValues"])
def test_a_parameter_s_value_has_at_most_1024_characters(member: str) -> None:
    def declared(value: str) -> list[dict[str, Any]]:
        return [{"Name": "P", "Type": "String", member: [value] if member == "EnumValues" else value}]

    accept([fail("F", "")], Parameters=declared("x" * 1024))
    message = refused([fail("F", "")], Parameters=declared("x" * 1025))
    assert "Parameter 'P': a value of 1025 characters is longer than 1024. (field Parameters[0])" in message


@pytest.mark.parametrize(("member", "most"), [("DisplayName", 256), ("Description", 3072)])
def test_names_for_people_are_limited(member: str, most: int) -> None:
    accept([fail("F", "", **{member: "x" * most})])
    message = refused([fail("F", "", **{member: "x" * (most + 1)})])
    assert f"It has {most + 1} characters; the limit is {most}. (step 'F', field {member})" in message


@pytest.mark.parametrize("name", ["", "a" * 65, "with space", "dot.ted", "ü", None, 7])
def test_step_names_follow_the_pattern(name: Any) -> None:
    accept([fail("a" * 64, "")])
    assert "Invalid step name" in refused([{"Name": name, "Type": "Fail", "Arguments": {}}])


def test_strings_in_arguments_are_no_longer_than_the_operation_takes() -> None:
    long = {"AppSpecification": {"ImageUri": "image:1", "ContainerArguments": ["x" * 257]}}
    message = refused([processing("A", arguments=long)])
    assert f"Model Validation failed: string '{'x' * 257}' with length=257 cannot be greater than 256." in message
    assert "(step 'A', field Arguments.AppSpecification.ContainerArguments[0])" in message


def test_lists_and_maps_in_arguments_have_no_more_than_the_operation_takes() -> None:
    message = refused([processing("A", arguments={"Environment": {f"V{number}": "x" for number in range(101)}})])
    assert "container ProcessingEnvironmentMap length (101) exceeds maximum limit (100)." in message
    channel = {
        "ChannelName": "c",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/c"}},
    }
    message = refused([training("T", arguments={"InputDataConfig": [channel] * 21})])
    assert "container InputDataConfig length (21) exceeds maximum limit (20)." in message


def nested(depth: int) -> dict[str, Any]:
    """Condition steps within each other, and a Processing step inside."""
    step = processing("Inner")
    for level in range(depth):
        step = condition(f"C{level}", [equals(level, level)], [step])
    return step


def test_conditions_nest_thirty_levels_deep(world: World) -> None:
    accept([nested(30)])
    arn = world.start([nested(30)])
    assert world.wait(arn).status == "Succeeded"
    assert len(world.steps(arn)) == 31
    assert world.statuses(arn)["Inner"] == "Succeeded"


@pytest.mark.parametrize(
    "frozen",
    [
        "ParameterInteger(name='Depth', parameter_type=<ParameterTypeEnum.INTEGER: 'Integer'>, default_value=4)",
        "s3://bucket/ParameterString(name='Prefix')/x",
        "Join(on='/', values=['s3:/', 'bucket'])",
        "<sagemaker.workflow.properties.Properties object at 0x7f0000000000>",
    ],
)
def test_a_variable_frozen_into_a_text_is_refused_with_what_to_do(frozen: str) -> None:
    message = refused([processing("A", arguments={"Environment": {"V": frozen}})])
    assert "A pipeline variable was frozen into the text" in message
    assert "pass the variable itself, or use Join" in message
    assert "(step 'A', field Arguments.Environment.V)" in message


def test_a_job_step_is_refused_with_the_category_of_its_job() -> None:
    arguments = {"JobCategory": "AgentRFT", "JobConfigSchemaVersion": "1.0.0", "JobConfigDocument": "{}"}
    message = refused([{"Name": "J", "Type": "Job", "Arguments": arguments}])
    assert "Step type 'Job' of category 'AgentRFT' exists on AWS but the emulator does not run it yet." in message
