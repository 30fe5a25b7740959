from __future__ import annotations

from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from emulator.engine.steps import step_types
from tests.emulator.engine.fakes import condition, equals, fail, processing, register, text_of, training

PARAMETERS = [{"Name": "Depth", "Type": "Integer", "DefaultValue": 3}]
FAILED_A: dict[str, Any] = {"Step": "A", "Trigger": "Failed"}
REPORT = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "evaluation.json"}


def check(*steps: dict[str, Any], **members: Any) -> None:
    check_definition(read_definition(text_of(list(steps), Parameters=PARAMETERS, **members)))


def refused(*steps: dict[str, Any], **members: Any) -> str:
    with pytest.raises(DefinitionError) as raised:
        check(*steps, **members)
    return raised.value.message


def json_get(operand: Any) -> dict[str, Any]:
    return {"Std:JsonGet": operand}


def report(step: str = "Evaluate", name: str = "Report", path: Any = "auc") -> dict[str, Any]:
    return json_get({"PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.{name}"}, "Path": path})


def with_argument(value: Any) -> dict[str, Any]:
    return processing("A", arguments={"Environment": {"V": value}})


def test_a_pipeline_of_every_kind_of_step_is_accepted() -> None:
    train = training("Train", arguments={"HyperParameters": {"max_depth": {"Get": "Parameters.Depth"}}})
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    evaluate = processing("Evaluate", arguments={"Environment": {"MODEL": model}}, PropertyFiles=[REPORT])
    package = {"InferenceSpecification": {"Containers": [{"Image": "image:1", "ModelDataUrl": model}]}}
    bad = fail("Bad", {"Std:Join": {"On": " ", "Values": ["auc", report(), {"Get": "Steps.Check.Outcome"}]}})
    check(train, evaluate, condition("Check", [equals(report(), 1)], [register("Register", arguments=package)], [bad]))


def test_unknown_and_later_types() -> None:
    message = refused({"Name": "A", "Type": "Magic"})
    assert message == (
        "Unable to parse pipeline definition. Unknown step type 'Magic'. The emulator runs"
        f" {', '.join(step_types())}. (step 'A', field Type)"
    )
    for later in ("QualityCheck", "EMR", "AutoML"):
        assert f"Step type '{later}' exists on AWS" in refused({"Name": "A", "Type": later})


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([processing("A", "B")], "Unknown step 'B'. (step 'A', field DependsOn[0])"),
        ([processing("A", "A")], "Steps depend on each other in a cycle: A -> A."),
        ([processing("A", "B"), processing("B", "C"), processing("C", "A")], "in a cycle: A -> B -> C -> A."),
        ([fail("F", ""), processing("A", "F")], "A can not depends on F. (step 'A', field DependsOn[0])"),
        (
            [processing("A"), processing("B", DependsOn=["A", FAILED_A])],
            "asks for ends of 'A' that exclude each other.",
        ),
        (
            [condition("A", [equals(1, 1)], [processing("B", DependsOn=[FAILED_A])])],
            "asks for ends of 'A' that exclude each other.",
        ),
        ([processing("A", Extra=1)], "unknown property 'Extra'. (step 'A', field Extra)"),
        ([training("A", PropertyFiles=[REPORT])], "Steps of type 'Training' have no outputs for property files."),
        ([processing("A", PropertyFiles=[{**REPORT, "OutputName": "x"}])], "lies in output 'x'"),
        ([condition("C", [])], "A condition step needs conditions."),
        ([fail("F", ["x"])], "Expecting a string. (step 'F', field Arguments.ErrorMessage)"),
        ([fail("F", "x" * 3073)], "The message is longer than 3072 characters."),
        ([{"Name": "F", "Type": "Fail", "Arguments": {"Message": "x"}}], "Unknown Argument member 'Message'."),
        ([processing("A") | {"Arguments": {"Get": "Execution.PipelineName"}}], "Expecting start of Json Object."),
        ([register("R", arguments={"ModelPackageName": "x"})], "Unknown Argument member 'ModelPackageName'."),
    ],
)
def test_wrong_steps_are_refused_with_step_field_and_reason(steps: list[dict[str, Any]], reason: str) -> None:
    assert reason in refused(*steps)


def test_a_condition_may_not_wait_for_its_own_branch() -> None:
    inside = processing("Inside")
    check_of_it = equals({"Get": "Steps.Inside.ProcessingJobName"}, "x")
    assert "in a cycle: Check -> Inside -> Check" in refused(condition("Check", [check_of_it], [inside]))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"Get": "Parameters.Dept"}, "there is no parameter 'Dept'; known are Depth"),
        ({"Get": "Parameters.Depth.x"}, "goes on after the parameter 'Depth'"),
        ({"Get": "Execution.Time"}, "there is no execution variable 'Time'"),
        ({"Get": "PipelineExperimentConfig.Name"}, "there is no member of PipelineExperimentConfig 'Name'"),
        ({"Get": "Somewhere.X"}, "'Somewhere.X' does not begin with one of"),
        ({"Get": "Steps.Nobody.ProcessingJobName"}, "unknown step 'Nobody'"),
        (
            {"Get": "Steps.B.ProcessingJobNam"},
            "'Steps.B.ProcessingJobNam' leads to nothing: 'DescribeProcessingJobResp",
        ),
        (
            {"Get": "Steps.B.ProcessingJobName.x"},
            "leads to nothing: .x does not apply to 'ProcessingJobName', a string",
        ),
        ({"Get": "Steps.B.ProcessingOutputConfig.Outputs.out"}, "does not apply to 'ProcessingOutputs', a list"),
        ({"Get": "Steps.B.a..b"}, "is not a path"),
        ({"Get": "Steps.B.PropertyFiles.Report"}, "a property file is read with Std:JsonGet"),
        ({"Get": "Steps.F.ErrorMessage"}, "steps of type 'Fail' have no properties"),
        ({"Std:Split": "x"}, "unknown function 'Std:Split'; known are Get, Std:Join and Std:JsonGet"),
        ({"Std:Join": ["a"]}, "expecting start of Json Object"),
        ({"Std:Join": {"On": ","}}, "'Values' is missing"),
        ({"Std:Join": {"Values": "x"}}, "Values of Std:Join must be a list"),
        ({"Std:Join": {"Values": [], "Sep": ""}}, "unknown property 'Sep'"),
        (json_get({"Path": "a"}), "needs either PropertyFile or S3Uri"),
        (json_get({"PropertyFile": "x", "Path": "a"}), "PropertyFile of Std:JsonGet must be a Get"),
        (json_get({"PropertyFile": {"Get": "Parameters.Depth"}, "Path": "a"}), "PropertyFile of Std:JsonGet must be"),
        (json_get({"PropertyFile": {"Get": "Steps.B.RoleArn"}, "Path": "a"}), "PropertyFile of Std:JsonGet must be"),
        (json_get({"PropertyFile": {"Std:Join": {"Values": []}}, "Path": "a"}), "PropertyFile of Std:JsonGet must be"),
        (json_get({"S3Uri": "s3://b/k"}), "'Path' is missing"),
        (report("B", "Reprt"), "is no property file of step 'B'; it has Report"),
        (report("B", path="a["), "is not a path"),
        ("max {'x': ParameterInteger(name='Depth')}", "A pipeline variable was frozen into the text"),
        ("<sagemaker.workflow.parameters.ParameterString object at 0x7f>", "A pipeline variable was frozen"),
        (str({"Get": "Parameters.Depth"}), "A pipeline variable was frozen"),
        (f"x={ {'Std:Join': {'On': '/', 'Values': []}} }", "A pipeline variable was frozen"),
    ],
)
def test_wrong_expressions_are_refused_with_step_field_and_reason(value: Any, reason: str) -> None:
    message = refused(with_argument(value), processing("B", PropertyFiles=[REPORT]), fail("F", ""))
    assert reason in message
    assert "(step 'A', field Arguments.Environment.V" in message


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"Unknown": 1}, "Unknown Argument member 'Unknown'. (step 'A', field Arguments.Unknown)"),
        (
            {"NetworkConfig": {"VpcConfig": {"Subnets": "s"}}},
            "Expecting start of Json Array. (step 'A', field Arguments.N",
        ),
        ({"AppSpecification": "image"}, "Expecting start of Json Object."),
        ({"RoleArn": {"Arn": "x"}}, "Expecting a string, not a Json Object."),
        ({"Environment": ["x"]}, "Expecting start of Json Object."),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": "60"}}, "Expecting a number, not '60'."),
        ({"NetworkConfig": {"EnableNetworkIsolation": "yes"}}, "Expecting a boolean, not 'yes'."),
        (
            {"ProcessingInputs": [{"InputName": "i", "S3Input": {"S3InputMode": "FastFile"}}]},
            "Model Validation failed: Value 'FastFile' for 'ProcessingS3InputMode' failed to satisfy enum value set:"
            " [Pipe, File] (step 'A', field Arguments.ProcessingInputs[0].S3Input.S3InputMode)",
        ),
    ],
)
def test_arguments_that_the_api_would_never_take_are_refused(arguments: dict[str, Any], reason: str) -> None:
    assert reason in refused(processing("A", arguments=arguments))


def test_numbers_are_taken_where_strings_are_wanted() -> None:
    check(training("T", arguments={"HyperParameters": {"a": 1, "b": 0.5, "c": True}}))


def test_the_experiment_config_is_checked_too() -> None:
    assert "there is no execution variable 'Nam'" in refused(
        processing("A"), PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.Nam"}}
    )
