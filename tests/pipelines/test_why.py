"""``pipelines why`` over the answers of an AWS API that only has what AWS has."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pipelines.errors import UsageError
from pipelines.why import explain
from tests.pipelines.fakes import ARN, START, Client, FakeConnection, job, step

PIPELINE = ARN.partition("/execution/")[0]
EARLIER = f"{PIPELINE}/execution/earlier00001"
OLDEST = f"{PIPELINE}/execution/oldest000001"
CACHE = {"Enabled": True, "ExpireAfter": "30d"}


def connection(
    executions: dict[str, list[dict[str, Any]]], jobs: dict[str, dict[str, Any]], **train: Any
) -> FakeConnection:
    """Executions, newest first, with their steps; training jobs by name; ``train`` are members of the step Train."""
    after = {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri"}
    bodies = [
        {"Name": "Prepare", "Type": "Processing", "Arguments": {}},
        {"Name": "Train", "Type": "Training", "Arguments": {"a": after}, "CacheConfig": CACHE, **train},
        {"Name": "Tell", "Type": "Lambda", "Arguments": {}},
    ]
    started = {arn: START - timedelta(hours=24 * number) for number, arn in enumerate(executions)}
    return FakeConnection(
        Client(
            describe_pipeline_definition_for_execution={"PipelineDefinition": json.dumps({"Steps": bodies})},
            describe_pipeline_execution={"PipelineArn": PIPELINE},
            list_pipeline_executions={
                "PipelineExecutionSummaries": [
                    {"PipelineExecutionArn": arn, "StartTime": moment} for arn, moment in started.items()
                ]
            },
            list_pipeline_execution_steps=lambda PipelineExecutionArn, **_: {
                "PipelineExecutionSteps": executions[PipelineExecutionArn]
            },
            describe_training_job=lambda TrainingJobName: {"TrainingJobName": TrainingJobName, **jobs[TrainingJobName]},
        )
    )


def trained(name: str, hours: float, status: str = "Succeeded", **members: Any) -> dict[str, Any]:
    """The step Train with its job, a minute long, begun so many hours after ``START``."""
    begun = hours * 3600
    return step("Train", status, begun, begun + 60, Metadata=job("TrainingJob", name), **members)


def why(made: FakeConnection, name: str = "Train") -> list[str]:
    return list(explain(made, ARN, name))  # type: ignore[arg-type]


def test_a_hit_names_its_source() -> None:
    hit = trained("old", 0, CacheHitResult={"SourcePipelineExecutionArn": EARLIER})
    assert why(connection({ARN: [hit]}, {})) == [
        "Train was a cache hit: its result is that of execution earlier00001",
        "  arn:aws:sagemaker:us-east-1:123456789012:trainingjob/old",
    ]


def test_a_copied_result_names_its_source() -> None:
    copied = trained("old", 0, SelectiveExecutionResult={"SourcePipelineExecutionArn": EARLIER})
    assert why(connection({ARN: [copied]}, {}))[0] == (
        "Train was not selected: its result is that of execution earlier00001"
    )


def test_the_fields_that_changed_are_named_against_the_nearest_success() -> None:
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/x"}}}
    new = {"HyperParameters": {"depth": "7"}, "InputDataConfig": [channel], "Environment": {"A": "1"}}
    near = {"HyperParameters": {"depth": "6"}, "InputDataConfig": [channel], "RoleArn": "other"}
    far = {"HyperParameters": {"depth": "9", "eta": "1"}, "InputDataConfig": []}
    made = connection(
        {ARN: [trained("new", 0)], OLDEST: [trained("far", -24)], EARLIER: [trained("near", -48)]},
        {"new": new, "near": near, "far": far},
    )
    assert why(made) == [
        "Train ran because of what changed since execution earlier00001:",
        "  HyperParameters.depth: 6 -> 7",
        "  Environment.A: (absent) -> 1",
    ]


def test_a_value_of_this_execution_points_to_the_step_before() -> None:
    def channels(uri: str) -> dict[str, Any]:
        return {"InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": uri}}}]}

    jobs = {"new": channels("s3://b/abcdefghijkl/x"), "old": channels("s3://b/earlier00001/x")}
    assert why(connection({ARN: [trained("new", 0)], EARLIER: [trained("old", -24)]}, jobs)) == [
        "Train ran because of what changed since execution earlier00001:",
        "  InputDataConfig[train].DataSource.S3DataSource.S3Uri: s3://b/earlier00001/x -> s3://b/abcdefghijkl/x",
        "  Values with abcdefghijkl come from a step before it. Next: pipelines why abcdefghijkl Prepare",
    ]


def test_an_equal_result_must_have_expired() -> None:
    same = {"HyperParameters": {"depth": "6"}}
    made = connection({ARN: [trained("new", 0)], EARLIER: [trained("old", -5)]}, {"new": same, "old": same})
    assert why(made) == [
        "Train ran because the equal result of execution earlier00001 had expired:",
        "  it was 4 h 59 min old, and ExpireAfter is 30d",
    ]


@pytest.mark.parametrize(
    "earlier",
    [
        [],
        [trained("old", -24, "Failed")],
        [trained("old", 1)],
        [trained("old", -24, CacheHitResult={"SourcePipelineExecutionArn": OLDEST})],
        [step("Train", "Executing", -24)],
    ],
)
def test_what_is_no_earlier_success(earlier: list[dict[str, Any]]) -> None:
    made = connection({ARN: [trained("new", 0)], EARLIER: earlier}, {"new": {}, "old": {}})
    assert why(made) == ["Train ran because it did not succeed before, in the 30 executions before this one"]


def test_caching_that_is_off() -> None:
    off = ["Train ran because its caching is off (CacheConfig.Enabled in the definition)"]
    assert why(connection({ARN: [trained("new", 0)]}, {}, CacheConfig={"Enabled": False})) == off
    assert why(connection({ARN: [trained("new", 0)]}, {}, CacheConfig=None)) == off


def of_type(kind: str, metadata: tuple[dict[str, Any], dict[str, Any]], **answers: Any) -> FakeConnection:
    """A step of this type that ran in two executions, with the metadata of each, the newer first."""
    body = {"Name": "S", "Type": kind, "Arguments": answers.pop("arguments", {}), "CacheConfig": CACHE}
    items = {
        arn: [step("S", "Succeeded", -3600 * hours, 60 - 3600 * hours, Metadata=details)]
        for arn, hours, details in ((ARN, 0, metadata[0]), (EARLIER, 24, metadata[1]))
    }
    listed = [{"PipelineExecutionArn": arn, "StartTime": each[0]["StartTime"]} for arn, each in items.items()]
    return FakeConnection(
        Client(
            describe_pipeline_definition_for_execution={"PipelineDefinition": json.dumps({"Steps": [body]})},
            describe_pipeline_execution={"PipelineArn": PIPELINE},
            list_pipeline_executions={"PipelineExecutionSummaries": listed},
            list_pipeline_execution_steps=lambda PipelineExecutionArn, **_: {
                "PipelineExecutionSteps": items[PipelineExecutionArn]
            },
            **answers,
        )
    )


def test_a_tuning_step_is_compared_by_what_counts_of_its_definitions() -> None:
    def described(HyperParameterTuningJobName: str) -> dict[str, Any]:
        new = HyperParameterTuningJobName == "new"
        definition = {"StaticHyperParameters": {"eta": "0.1" if new else "0.3"}, "RoleArn": "a" if new else "b"}
        config = {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 2 if new else 1}}
        return {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition}

    metadata = job("TuningJob", "new"), job("TuningJob", "old")
    assert why(of_type("Tuning", metadata, describe_hyper_parameter_tuning_job=described), "S") == [
        "S ran because of what changed since execution earlier00001:",
        "  HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs: 1 -> 2",
        "  TrainingJobDefinition.StaticHyperParameters.eta: 0.3 -> 0.1",
    ]


def test_an_automl_step_is_compared_by_its_job() -> None:
    def described(AutoMLJobName: str) -> dict[str, Any]:
        mode = "ENSEMBLING" if AutoMLJobName == "new" else "AUTO"
        return {"AutoMLJobConfig": {"Mode": mode, "SecurityConfig": {"x": AutoMLJobName}}, "ProblemType": "Regression"}

    metadata = job("AutoMLJob", "new"), job("AutoMLJob", "old")
    assert why(of_type("AutoML", metadata, describe_auto_ml_job=described), "S")[1:] == [
        "  AutoMLJobConfig.Mode: AUTO -> ENSEMBLING"
    ]


@pytest.mark.parametrize("kind", ["ClarifyCheck", "QualityCheck"])
def test_a_check_is_compared_by_its_job_and_its_own_members(kind: str) -> None:
    def checked(name: str, *, skipped: bool) -> dict[str, Any]:
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{name}"
        return {kind: {"CheckType": "DATA_BIAS", "SkipCheck": skipped, "CheckJobArn": arn}}

    metadata = checked("new", skipped=True), checked("old", skipped=False)
    made = of_type(
        kind, metadata, describe_processing_job=lambda ProcessingJobName: {"Environment": {"A": ProcessingJobName}}
    )
    assert why(made, "S")[1:] == ["  SkipCheck: False -> True", "  Environment.A: old -> new"]


def test_an_emr_step_is_compared_by_its_cluster() -> None:
    metadata = {"EMR": {"ClusterId": "j-2", "StepId": "s-2"}}, {"EMR": {"ClusterId": "j-1", "StepId": "s-1"}}
    made = of_type("EMR", metadata, arguments={"StepConfig": {"HadoopJarStep": {"Jar": "x"}}})
    assert why(made, "S")[1:] == ["  ClusterId: j-1 -> j-2"]


def test_what_cannot_be_compared() -> None:
    made = connection({ARN: [step("Train", "Starting"), step("Tell", "Succeeded", 0, 1)]}, {})
    assert why(made) == ["Train has not created a job, so there is nothing to compare yet"]
    assert why(made, "Tell")[0].startswith("Tell ran: AWS caches no steps of type Lambda, only Processing, ")


def test_each_run_of_a_loops_body_is_explained_by_its_own_name() -> None:
    body = {"Name": "Body", "Type": "Processing", "Arguments": {}, "CacheConfig": CACHE}
    loop = {"Name": "Each", "Type": "ForEach", "Arguments": {"ForEachBody": [body]}}
    items = {
        ARN: [step("Body-1", "Succeeded", 0, 60, Metadata=job("ProcessingJob", "new"))],
        EARLIER: [
            step("Body-0", "Succeeded", -900, -800, Metadata=job("ProcessingJob", "other")),
            step("Body-1", "Succeeded", -900, -800, Metadata=job("ProcessingJob", "old")),
        ],
    }
    made = of_type("ForEach", ({}, {}), describe_processing_job=lambda ProcessingJobName: {
        "Environment": {"A": ProcessingJobName}
    })  # fmt: skip
    made.sagemaker._answers |= {
        "describe_pipeline_definition_for_execution": {"PipelineDefinition": json.dumps({"Steps": [loop]})},
        "list_pipeline_execution_steps": lambda PipelineExecutionArn, **_: {
            "PipelineExecutionSteps": items[PipelineExecutionArn]
        },
    }
    assert why(made, "Body-1") == [
        "Body-1 ran because of what changed since execution earlier00001:",
        "  Environment.A: old -> new",
    ]
    with pytest.raises(UsageError, match="has no step 'Body-x'"):
        why(made, "Body-x")


def test_unknown_steps_and_those_that_have_not_begun() -> None:
    made = connection({ARN: []}, {})
    with pytest.raises(UsageError, match="Did you mean 'Train'"):
        why(made, "Trian")
    with pytest.raises(UsageError, match="Step Train has not begun in this execution"):
        why(made)
