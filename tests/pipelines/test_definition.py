from typing import Any

from pipelines.definition import Parameter, condition, expression, parameters, steps

DEFINITION: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "MinAuc", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Approval", "Type": "String", "DefaultValue": "Pending", "EnumValues": ["Pending", "Approved"]},
        {"Name": "Given", "Type": "Integer"},
    ],
    "Steps": [
        {
            "Name": "Check",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {
                        "Type": "GreaterThanOrEqualTo",
                        "LeftValue": {
                            "Std:JsonGet": {
                                "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
                                "Path": "a.b",
                            }
                        },
                        "RightValue": {"Get": "Parameters.MinAuc"},
                    }
                ],
                "IfSteps": [
                    {
                        "Name": "Register",
                        "Type": "RegisterModel",
                        "Arguments": {"Model": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}},
                    }
                ],
                "ElseSteps": [{"Name": "TooLow", "Type": "Fail", "Arguments": {"ErrorMessage": "low"}}],
            },
        },
        {"Name": "Evaluate", "Type": "Processing", "Arguments": {}, "DependsOn": [{"Step": "Train", "Trigger": "Any"}]},
        {"Name": "Train", "Type": "Training", "Arguments": {}, "DependsOn": ["Prepare"]},
        {"Name": "Prepare", "Type": "Processing", "Arguments": {}},
    ],
}


def test_parameters_carry_type_default_and_choices() -> None:
    assert parameters(DEFINITION) == [
        Parameter("MinAuc", "Float", 0.5),
        Parameter("Approval", "String", "Pending", ("Pending", "Approved")),
        Parameter("Given", "Integer"),
    ]


def test_steps_come_after_what_they_wait_for() -> None:
    assert [step.name for step in steps(DEFINITION)] == ["Prepare", "Train", "Evaluate", "Check", "Register", "TooLow"]


def test_dependencies_come_from_references_dependson_and_branches() -> None:
    by_name = {step.name: step for step in steps(DEFINITION)}
    assert by_name["Check"].after == ("Evaluate",)
    assert by_name["Register"].after == ("Check", "Train")
    assert by_name["Register"].branch == ("Check", "if")
    assert by_name["TooLow"].branch == ("Check", "else")
    assert by_name["Evaluate"].after == ("Train",)


def test_a_cycle_is_listed_rather_than_looped_over() -> None:
    cycle = {
        "Steps": [
            {"Name": "A", "Type": "Fail", "DependsOn": ["B"]},
            {"Name": "B", "Type": "Fail", "DependsOn": ["A"]},
        ]
    }
    assert [step.name for step in steps(cycle)] == ["A", "B"]


def test_conditions_read_as_they_are_written() -> None:
    body = DEFINITION["Steps"][0]["Arguments"]["Conditions"][0]
    assert condition(body) == "Evaluate.Report:a.b >= MinAuc"
    assert condition({"Type": "Not", "Condition": body}) == "not (Evaluate.Report:a.b >= MinAuc)"
    within = {"Type": "In", "QueryValue": {"Get": "Parameters.X"}, "Values": ["a", "b"]}
    assert condition(within) == "X in [a, b]"
    assert condition({"Type": "Or", "Conditions": [body, within]}) == "Evaluate.Report:a.b >= MinAuc or X in [a, b]"


def test_joins_read_as_text() -> None:
    join = {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Execution.PipelineName"}, 3]}}
    assert expression(join) == "s3://Execution.PipelineName/3"
