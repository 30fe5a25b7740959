"""Tuning steps: their properties are the job's description and its best training jobs."""

from tests.integration.small_pipelines import BUCKET
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


def test_the_best_training_jobs_are_properties(runner):
    message = told(
        "Steps.Tune.TrainingJobSummaries[0].TrainingJobName",
        "Steps.Tune.BestTrainingJob.TrainingJobName",
        "Steps.Tune.TrainingJobSummaries[2].TunedHyperParameters['x']",
        "Steps.Tune.TrainingJobStatusCounters.Completed",
    )
    _, ran = runner.run(tuning_step(), message, name="tuned")
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


def test_a_tuning_job_that_fails_fails_its_step(runner):
    _, ran = runner.run(tuning_step(mode="broken"), name="tuned-in-vain")
    assert ran["Tune"]["StepStatus"] == "Failed"
    assert ran["Tune"]["FailureReason"].startswith("ClientError: All training jobs failed.")
