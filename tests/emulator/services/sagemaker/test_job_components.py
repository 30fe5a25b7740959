"""Trial components that jobs get, in the experiment or the trial that they name, or in none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import ResourceNotFound
from emulator.services.sagemaker import experiments, trial_components, trials  # noqa: F401 - register their operations
from emulator.store.trial_metrics import TrialMetrics
from tests.emulator.jobs.world import BUCKET, IMAGE, World, s3_output

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    world = World(tmp_path)
    world.context.app.metrics = world.jobs.metrics
    world.context.app.trial_metrics = TrialMetrics(world.resources.database)
    world.call("CreateExperiment", ExperimentName="late")
    yield world
    world.close()


def components(world: Any, **of: str) -> list[str]:
    return [each["TrialComponentName"] for each in world.call("ListTrialComponents", **of)["TrialComponentSummaries"]]


def test_a_job_in_a_trial_is_told_as_its_component(world: Any) -> None:
    outputs = {"Outputs": [s3_output("out", "/opt/ml/processing/out", f"s3://{BUCKET}/out")]}
    config = {"ExperimentName": "late", "TrialName": "first", "TrialComponentDisplayName": "prepare"}
    world.processing(
        "job", "true", ExperimentConfig=config, Environment={"DEPTH": "3", "KIND": "a"}, ProcessingOutputConfig=outputs
    )
    assert world.processed("job")["ExperimentConfig"] == config
    assert components(world, TrialName="first") == ["job-aws-processing-job"]
    assert world.call("DescribeTrial", TrialName="first")["ExperimentName"] == "late"

    found = world.call("DescribeTrialComponent", TrialComponentName="job-aws-processing-job")
    job = f"{PREFIX}:processing-job/job"
    assert found["Source"] == {"SourceArn": job, "SourceType": "SageMakerProcessingJob"}
    assert found["DisplayName"] == "prepare"
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert found["StartTime"] <= found["EndTime"]
    assert found["Parameters"]["DEPTH"] == {"NumberValue": 3}
    assert found["Parameters"]["KIND"] == {"StringValue": "a"}
    assert found["Parameters"]["SageMaker.InstanceType"] == {"StringValue": "ml.m5.large"}
    assert found["InputArtifacts"]["SageMaker.ImageUri"] == {"Value": IMAGE}
    assert found["OutputArtifacts"] == {"out": {"Value": f"s3://{BUCKET}/out"}}
    assert components(world, SourceArn=job) == ["job-aws-processing-job"]


def test_a_job_that_names_nothing_has_a_component_in_no_trial(world: Any) -> None:
    world.training("loose", "true")
    world.trained("loose")
    assert components(world, SourceArn=f"{PREFIX}:training-job/loose") == ["loose-aws-training-job"]
    found = world.call("DescribeTrialComponent", TrialComponentName="loose-aws-training-job")
    assert (found["Status"]["PrimaryStatus"], found["Parents"]) == ("Completed", [])
    world.call("DeleteTrainingJob", TrainingJobName="loose")
    world.training("loose", "true")
    world.trained("loose")
    assert components(world) == ["loose-aws-training-job"]


def test_a_training_job_brings_its_metrics(world: Any) -> None:
    loss = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
    world.training(
        "fit",
        "echo loss=0.5",
        ExperimentConfig={"ExperimentName": "late", "TrialName": "first"},
        HyperParameters={"depth": "4"},
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", "echo 'loss=0.5;'"],
            "MetricDefinitions": loss,
        },
    )
    world.wait("DescribeTrainingJob", "Completed", TrainingJobName="fit")
    found = world.call("DescribeTrialComponent", TrialComponentName="fit-aws-training-job")
    assert found["Parameters"]["depth"] == {"NumberValue": 4}
    assert found["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"].endswith("/model.tar.gz")
    (metric,) = found["Metrics"]
    assert (metric["MetricName"], metric["Last"], metric["SourceArn"]) == ("loss", 0.5, f"{PREFIX}:training-job/fit")


def test_a_job_that_names_only_the_experiment_has_a_trial_of_its_own(world: Any) -> None:
    world.processing("alone", "true", ExperimentConfig={"ExperimentName": "late"})
    (trial,) = world.call("ListTrials", ExperimentName="late")["TrialSummaries"]
    assert components(world, TrialName=trial["TrialName"]) == ["alone-aws-processing-job"]


@pytest.mark.parametrize("config", [{"ExperimentName": "none", "TrialName": "first"}, {"TrialName": "none"}])
def test_what_a_job_names_must_exist_or_nothing_is_made(world: Any, config: dict[str, str]) -> None:
    with pytest.raises(ResourceNotFound, match="'none' does not exist"):
        world.processing("job", "true", ExperimentConfig=config)
    assert world.call("ListProcessingJobs")["ProcessingJobSummaries"] == []
    assert components(world) == []
