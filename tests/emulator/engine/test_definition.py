from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.engine.definition import Branch, Dependency, PropertyFile, read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import condition, equals, fail, processing, text_of


def test_steps_in_branches_are_steps_with_a_branch() -> None:
    inner = condition("Inner", [equals(1, 1)], [processing("Deep")])
    definition = read_definition(text_of([condition("Outer", [equals(1, 1)], [inner], [fail("Bad", "no")])]))
    branches = {name: step.branch for name, step in definition.steps.items()}
    assert branches == {
        "Outer": None,
        "Inner": Branch("Outer", True),
        "Deep": Branch("Inner", True),
        "Bad": Branch("Outer", False),
    }


def test_the_envelope_of_a_step() -> None:
    step = processing("A", "B", {"Step": "C", "Trigger": "Failed"}, DisplayName="The A", Description="does a")
    step["PropertyFiles"] = [{"PropertyFileName": "P", "OutputName": "out", "FilePath": "p.json"}]
    read = read_definition(text_of([step])).steps["A"]
    assert read.depends_on == (Dependency("B"), Dependency("C", "Failed"))
    assert read.property_files == {"P": PropertyFile("P", "out", "p.json")}
    assert (read.display_name, read.description, read.extra) == ("The A", "does a", {})


def test_explicit_nulls_mean_absent() -> None:
    step = processing("A", DisplayName=None, CacheConfig=None, ModelPackageGroupName=None)
    step["Arguments"]["Environment"] = None
    text = text_of([step], MlflowConfig=None, PipelineExperimentConfig=None, Metadata=None, Parameters=None)
    read = read_definition(text).steps["A"]
    assert "Environment" not in read.arguments
    assert read.extra == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "It is not valid JSON"),
        ("[]", "Expecting start of Json Object"),
        ("null", "Expecting start of Json Object"),
        ('{"Steps": [NaN]}', "NaN is not JSON"),
        ("{}", "Expecting start of Json Array.*field Steps"),
        ('{"Steps": []}', "must have at least one step"),
        ('{"Steps": [], "Version": "2020"}', "Unknown version '2020'"),
        ('{"Steps": [], "Extra": 1}', "unknown property 'Extra'"),
        ('{"Steps": [{"Name": "F", "Type": "Fail"}], "Metadata": 5}', "Expecting start of Json Object.*field Metadata"),
        (text_of([fail("F", "")], PipelineExperimentConfig={"Name": ""}), "unknown property 'Name'"),
        (text_of([fail("F", "")], MlflowConfig={"Uri": ""}), "unknown property 'Uri'"),
        ('{"Steps": [1]}', r"Expecting start of Json Object.*Steps\[0\]"),
        ('{"Steps": ["\\ud800"]}', "It is not valid JSON: .*surrogates not allowed"),
        ("[" * 100_000, "It is nested more than 250 levels deep"),
        ('{"Steps": ' + "[" * 300 + "]" * 300 + "}", "It is nested more than 250 levels deep"),
        (json.dumps({"Steps": [], "Metadata": {"x": "y" * 1024 * 1024}}), "longer than 1048576 bytes"),
    ],
)
def test_what_is_no_definition_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason) as raised:
        read_definition(text)
    assert raised.value.message.startswith("Unable to parse pipeline definition.")
    assert raised.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"Name": "a b", "Type": "Fail"}, r"Invalid step name 'a b'.*Steps\[0\].Name"),
        ({"Name": "x" * 65, "Type": "Fail"}, "Invalid step name"),
        ({"Type": "Fail"}, "Invalid step name 'None'"),
        ({"Name": "A"}, "Step has no type.*step 'A', field Type"),
        ({"Name": "A", "Type": "Fail", "Arguments": []}, "Expecting start of Json Object.*field Arguments"),
        ({"Name": "A", "Type": "Fail", "DependsOn": "B"}, "Expecting start of Json Array.*field DependsOn"),
        ({"Name": "A", "Type": "Fail", "DependsOn": [1]}, r"field DependsOn\[0\]"),
        ({"Name": "A", "Type": "Fail", "DependsOn": [{"Step": "B", "Trigger": "Never"}]}, "Unknown trigger 'Never'"),
        ({"Name": "A", "Type": "Fail", "DependsOn": [{"Trigger": "Any"}]}, "names no step"),
        ({"Name": "A", "Type": "Fail", "CacheConfig": []}, "field CacheConfig"),
        ({"Name": "A", "Type": "Fail", "RetryPolicies": {}}, "field RetryPolicies"),
        ({"Name": "A", "Type": "Fail", "DisplayName": 1}, "Expecting a string.*field DisplayName"),
        ({"Name": "A", "Type": "Processing", "PropertyFiles": [{}]}, "missing 'PropertyFileName'"),
        ({"Name": "A", "Type": "Condition", "Arguments": {"IfSteps": {}}}, "field Arguments.IfSteps"),
        ({"Name": "A", "Type": "Condition", "Arguments": {"IfSteps": [{}]}}, r"field A.IfSteps\[0\].Name"),
    ],
)
def test_a_malformed_step_is_refused_with_its_place(step: dict[str, Any], reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        read_definition(json.dumps({"Steps": [step]}))


def test_names_are_unique_across_branches() -> None:
    steps = [processing("A"), condition("C", [equals(1, 1)], [processing("A")])]
    with pytest.raises(DefinitionError, match="Duplicate name 'A'"):
        read_definition(text_of(steps))
