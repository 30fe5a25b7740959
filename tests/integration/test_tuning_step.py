"""Tuning steps: their properties are the job's description and its best training jobs."""

import json

from tests.integration.small_pipelines import BUCKET
from tests.integration.test_events import Bridge
from tests.integration.test_tuning_jobs import definition


def tuning_step(**static):
    choices = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "3", "5"]}]}
    return {
        "Name": "Tune",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Grid",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
                "ResourceLimits": {"MaxParallelTrainingJobs": 2},
                "ParameterRanges": choices,
            },
            "TrainingJobDefinition": definition(static),
        },
    }


def told(*values):
    return {
        "Name": "Told",
        "Type": "Fail",
        "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [{"Get": value} for value in values]}}},
    }


def test_the_best_training_jobs_are_properties_of_a_step_and_of_its_cached_result(runner, emulator):
    bridge = Bridge(emulator).on({"detail-type": ["SageMaker HyperParameter Tuning Job State Change"]})
    message = told(
        "Steps.Tune.TrainingJobSummaries[0].TrainingJobName",
        "Steps.Tune.BestTrainingJob.TrainingJobName",
        "Steps.Tune.TrainingJobSummaries[2].TunedHyperParameters['x']",
        "Steps.Tune.TrainingJobStatusCounters.Completed",
    )
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    execution, ran = runner.run(tuning_step() | cached, message, name="tuned")
    assert ran["Tune"]["StepStatus"] == "Succeeded", ran["Tune"]
    arn = ran["Tune"]["Metadata"]["TuningJob"]["Arn"]
    name = arn.rsplit("/", 1)[-1]
    job = runner.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    best = job["BestTrainingJob"]["TrainingJobName"]
    first, second, values, completed = ran["Told"]["FailureReason"].rsplit(" ", 3)
    assert (first.split()[-1], second) == (best, best)
    assert values in ("1", "5")
    assert completed == "3"
    assert len(name) <= 32
    key = f"tuned/{best}/output/model.tar.gz"
    assert runner.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 0
    statuses = [event["detail"]["HyperParameterTuningJobStatus"] for event in bridge.received(2)]
    bridge.remove()
    assert statuses == ["InProgress", "Completed"]
    changed = tuning_step() | cached
    changed["Arguments"]["TrainingJobDefinition"]["RoleArn"] += "Other"
    definition_text = json.dumps({"Version": "2020-12-01", "Steps": [changed, message]})
    runner.sagemaker.update_pipeline(PipelineName="tuned", PipelineDefinition=definition_text)
    again = runner.start("tuned")
    runner.ended(again)
    steps = runner.steps(again)
    assert steps["Tune"]["CacheHitResult"]["SourcePipelineExecutionArn"] == execution["PipelineExecutionArn"]
    assert steps["Told"]["FailureReason"] == ran["Told"]["FailureReason"]


def test_a_tuning_job_that_fails_fails_its_step(runner):
    _, ran = runner.run(tuning_step(mode="broken"), name="tuned-in-vain")
    assert ran["Tune"]["StepStatus"] == "Failed"
    assert ran["Tune"]["FailureReason"].startswith("ClientError: All training jobs failed.")
