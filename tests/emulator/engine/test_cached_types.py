"""Which steps are cached and by what: the documented table, in the engine and in the tool ``pipelines`` alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import StepDefinition, read_definition
from emulator.engine.steps import StepRun, step_types
from emulator.engine.steps.executor import executor_of
from pipelines.cache_keys import CACHE_KEYS, key_arguments
from tests.emulator.engine.fakes import condition, equals

DOCUMENTED = {"Processing", "Training", "Tuning", "AutoML", "Transform", "ClarifyCheck", "QualityCheck", "EMR"}
"""Developer Guide, "Caching pipeline steps"."""
RANGE = {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]}
DEFINITION = {
    "DefinitionName": "one",
    "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
    "HyperParameterRanges": RANGE,
    "StaticHyperParameters": {"eta": "0.1"},
    "TuningObjective": {"Type": "Minimize", "MetricName": "rmse"},
    "InputDataConfig": [{"ChannelName": "train"}],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/first"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "RoleArn": "arn:aws:iam::123456789012:role/One",
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
COUNTING: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "image:2", "TrainingInputMode": "File"},
    "HyperParameterRanges": {},
    "StaticHyperParameters": {"eta": "0.2"},
    "TuningObjective": {"Type": "Maximize", "MetricName": "auc"},
    "InputDataConfig": [{"ChannelName": "other"}],
}


def values_of(kind: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    step = StepDefinition("S", kind, arguments)
    return executor_of(step).cache_values(StepRun(step, "Starting", arguments=arguments))


def test_the_types_that_are_cached_are_those_of_the_documentation() -> None:
    assert set(CACHE_KEYS) == DOCUMENTED
    cached = {kind for kind in step_types() if values_of(kind, {}) is not None}
    assert cached == DOCUMENTED & set(step_types())


@pytest.mark.parametrize("kind", sorted(DOCUMENTED & set(step_types())))
def test_the_tool_and_the_engine_compare_the_same(kind: str) -> None:
    arguments: dict[str, Any] = {
        member: {"a": 1} for member in (*CACHE_KEYS[kind], "RoleArn", "OutputDataConfig", "Tags")
    }
    if kind == "Tuning":
        arguments["TrainingJobDefinition"] = DEFINITION
        arguments["TrainingJobDefinitions"] = [DEFINITION, DEFINITION | {"DefinitionName": "two"}]
    assert values_of(kind, arguments) == key_arguments(kind, arguments)


@pytest.mark.parametrize("several", [False, True])
def test_of_a_training_job_definition_its_documented_children_count(several: bool) -> None:
    def tuning(**changes: Any) -> dict[str, Any] | None:
        definition = DEFINITION | changes
        part = {"TrainingJobDefinitions": [definition]} if several else {"TrainingJobDefinition": definition}
        return values_of("Tuning", {"HyperParameterTuningJobConfig": {"Strategy": "Random"}, **part})

    for member in DEFINITION:
        same = tuning() == tuning(**{member: COUNTING.get(member, {"changed": "yes"})})
        assert same is (member not in COUNTING), member


@pytest.mark.parametrize(
    "step",
    [
        {"Type": "Lambda", "Arguments": {}, "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f"},
        {"Type": "Callback", "Arguments": {}, "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q"},
        {"Type": "Fail", "Arguments": {"ErrorMessage": "no"}},
        condition("S", [equals(1, 1)]),
    ],
)
def test_steps_that_are_not_cached_may_ask_for_it_in_vain(step: dict[str, Any]) -> None:
    """SDK v2 gives Lambda and Callback steps a cache_config, which AWS documents for neither."""
    asking = {"Name": "S", **step, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    check_definition(read_definition(json.dumps({"Version": "2020-12-01", "Steps": [asking]})))
    assert values_of(step["Type"], step["Arguments"]) is None
