from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.definition import read_definition
from emulator.engine.environment import ExecutionEnvironment, experiment_of
from emulator.engine.errors import ExpressionError, ParameterError
from emulator.engine.expressions import as_text, evaluate, is_expression, parse_reference, references
from emulator.engine.paths import PathError, parse_path
from tests.emulator.engine.fakes import FakeObjects, processing, text_of

REPORT = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "evaluation.json"}
VARIABLES = {"PipelineExecutionId": "abc123def456", "PipelineName": "Demo"}
PARAMETERS = {"N": 3, "X": 0.5, "S": "text", "B": True}
PROPERTIES = {
    "Evaluate": {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": "s3://b/run/"}}]}}
}
JSON_GET = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "metrics.auc.value"}


@pytest.fixture
def objects() -> FakeObjects:
    return FakeObjects()


@pytest.fixture
def environment(objects: FakeObjects) -> ExecutionEnvironment:
    experiment = {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": "fixed"}
    text = text_of([processing("Evaluate", PropertyFiles=[REPORT])], PipelineExperimentConfig=experiment)
    definition = read_definition(text)
    return ExecutionEnvironment(definition, PARAMETERS, VARIABLES, PROPERTIES.get, objects)


@pytest.mark.parametrize(("name", "value"), PARAMETERS.items())
def test_get_keeps_the_type(environment: ExecutionEnvironment, name: str, value: Any) -> None:
    result = evaluate({"Get": f"Parameters.{name}"}, environment)
    assert result == value
    assert type(result) is type(value)


def test_expressions_at_any_depth(environment: ExecutionEnvironment) -> None:
    value = {"a": [{"b": {"Get": "Parameters.N"}}, "plain", None], "c": 1}
    assert evaluate(value, environment) == {"a": [{"b": 3}, "plain", None], "c": 1}


def test_join_writes_values_as_aws_does(environment: ExecutionEnvironment) -> None:
    values = [
        "a",
        {"Get": "Parameters.N"},
        {"Get": "Parameters.X"},
        {"Get": "Parameters.B"},
        {"Std:Join": {"Values": [1]}},
    ]
    assert evaluate({"Std:Join": {"On": "/", "Values": values}}, environment) == "a/3/0.5/true/1"


def test_execution_variables(environment: ExecutionEnvironment) -> None:
    assert evaluate({"Get": "Execution.PipelineExecutionId"}, environment) == "abc123def456"
    assert str(evaluate({"Get": "Execution.CurrentDateTime"}, environment)).endswith("Z")
    with pytest.raises(ExpressionError, match=r"Execution\.TrainingJobName: it has no value here"):
        evaluate({"Get": "Execution.TrainingJobName"}, environment)


def test_experiment_config(environment: ExecutionEnvironment) -> None:
    assert evaluate({"Get": "PipelineExperimentConfig.ExperimentName"}, environment) == "Demo"
    definition = read_definition(
        text_of([processing("A")], PipelineExperimentConfig={"ExperimentName": {"Get": "Execution.PipelineName"}})
    )
    assert experiment_of(definition, {}, VARIABLES) == {"ExperimentName": "demo"}
    unknown = read_definition(
        text_of([processing("A")], PipelineExperimentConfig={"TrialName": {"Get": "Steps.A.ProcessingJobName"}})
    )
    with pytest.raises(ParameterError, match="step 'A' has no properties"):
        experiment_of(unknown, {}, VARIABLES)


def test_step_properties(environment: ExecutionEnvironment) -> None:
    path = "Steps.Evaluate.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"
    assert evaluate({"Get": path}, environment) == "s3://b/run/"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Steps.Evaluate.Nothing", "there is no 'Nothing'"),
        ("Steps.Other.Nothing", "step 'Other' has no properties in this execution"),
        ("Parameters.Other", "it has no value here"),
        ("Nowhere.X", "does not begin with one of"),
    ],
)
def test_a_get_to_nothing_names_itself_and_why(environment: ExecutionEnvironment, path: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason) as raised:
        evaluate({"Get": path}, environment)
    assert path in str(raised.value)


@pytest.mark.parametrize("value", [0.93, 1, True, "text", None, [1], {"a": 1}])
def test_json_get_keeps_json_types(environment: ExecutionEnvironment, objects: FakeObjects, value: Any) -> None:
    objects.files["s3://b/run/evaluation.json"] = json.dumps({"metrics": {"auc": {"value": value}}}).encode()
    assert evaluate({"Std:JsonGet": JSON_GET}, environment) == value


def test_json_get_from_an_s3_uri(environment: ExecutionEnvironment, objects: FakeObjects) -> None:
    objects.files["s3://b/abc123def456/r.json"] = b'{"Result": {"v": [4, 5]}}'
    uri = {"Std:Join": {"On": "/", "Values": ["s3://b", {"Get": "Execution.PipelineExecutionId"}, "r.json"]}}
    assert evaluate({"Std:JsonGet": {"S3Uri": uri, "Path": "Result['v'][1]"}}, environment) == 5
    assert evaluate({"Std:JsonGet": {"S3Uri": uri, "Path": "$.Result.v[0]"}}, environment) == 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: NoSuchKey: The specified key does not exist."),
        (b"{", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b'{"metrics": {}}', "there is no 'auc'; there is nothing in metrics"),
    ],
)
def test_a_json_get_of_nothing_says_what_is_missing(
    environment: ExecutionEnvironment, objects: FakeObjects, content: bytes | None, reason: str
) -> None:
    if content is not None:
        objects.files["s3://b/run/evaluation.json"] = content
    with pytest.raises(ExpressionError, match=reason):
        evaluate({"Std:JsonGet": JSON_GET}, environment)


@pytest.mark.parametrize("uri", ["http://b/k", "s3://b", "s3://b/"])
def test_json_get_of_what_is_no_object(environment: ExecutionEnvironment, uri: str) -> None:
    with pytest.raises(ExpressionError, match="not the S3 URI of an object"):
        evaluate({"Std:JsonGet": {"S3Uri": uri, "Path": "a"}}, environment)


def test_a_map_with_a_member_called_get_is_no_expression() -> None:
    assert not is_expression({"Get": "a", "Put": "b"})
    assert not is_expression({"Get": 1})
    assert is_expression({"Get": "Parameters.A"})


def test_references_name_their_field() -> None:
    value = {"Arguments": {"L": [{"Std:Join": {"On": "", "Values": [{"Get": "Parameters.A"}]}}]}}
    assert [field for _, field in references(value)] == ["Arguments.L[0]", "Arguments.L[0].Std:Join.Values[0]"]


@pytest.mark.parametrize("text", ["Parameters", "Parameters.", "Steps.A.", "Steps..x", "X.Y", ""])
def test_malformed_references(text: str) -> None:
    with pytest.raises(PathError):
        parse_reference(text)


def test_a_reference_may_go_on_with_a_bracket() -> None:
    reference = parse_reference("Steps.A['x'].y")
    assert (reference.name, reference.path) == ("A", parse_path("['x'].y"))


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


@given(json_values)
def test_values_without_expressions_mean_themselves(value: Any) -> None:
    definition = read_definition(text_of([processing("A")]))
    environment = ExecutionEnvironment(definition, {}, {}, lambda step: None, FakeObjects())
    if not list(references(value)):
        assert evaluate(value, environment) == value


@given(st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_scalars_as_text_read_back(value: bool | int | float) -> None:
    assert json.loads(as_text(value)) == value
