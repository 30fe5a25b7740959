import io
import json
from typing import Any, cast

from pipelines.connection import Connection
from pipelines.definition import Step
from pipelines.report import Metric, duration, flatten, metrics, model_package
from tests.pipelines.fakes import START, Client, FakeConnection, job, step

REPORT = {
    "binary_classification_metrics": {
        "auc": {"value": 0.7, "standard_deviation": "NaN"},
        "confusion_matrix": {"0": {"0": 5, "1": 2}},
        "accuracy": {"value": 1},
    }
}


def test_figures_of_a_model_quality_report() -> None:
    assert list(flatten(REPORT)) == [("auc", 0.7), ("accuracy", 1.0)]
    assert list(flatten([1, 2])) == []


def test_metrics_come_from_training_jobs_and_reports() -> None:
    def output(**request: Any) -> dict[str, Any]:
        assert request == {"Bucket": "b", "Key": "run/evaluation.json"}
        return {"Body": io.BytesIO(json.dumps(REPORT).encode())}

    sagemaker = Client(
        describe_training_job={"FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.75}]},
        describe_processing_job={
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": {"S3Uri": "s3://b/run/"}}]}
        },
    )
    files = [{"PropertyFileName": "R", "OutputName": "evaluation", "FilePath": "evaluation.json"}]
    definition = [Step("Train", "Training", {}), Step("Evaluate", "Processing", {"PropertyFiles": files})]
    steps = [
        step("Train", "Succeeded", 0, 1, Metadata=job("TrainingJob", "t")),
        step("Evaluate", "Succeeded", 1, 2, Metadata=job("ProcessingJob", "e")),
        step("Other", "Failed", 1, 2, Metadata=job("TrainingJob", "o")),
    ]
    connection = cast(Connection, FakeConnection(sagemaker, Client(get_object=output)))
    assert metrics(connection, steps, definition) == [
        Metric("Train", "validation:auc", 0.75),
        Metric("Evaluate", "auc", 0.7),
        Metric("Evaluate", "accuracy", 1.0),
    ]


def test_the_model_package_is_that_of_the_register_step() -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/flights/1"
    assert (
        model_package([step("A", "Succeeded"), step("R", "Succeeded", Metadata={"RegisterModel": {"Arn": arn}})]) == arn
    )
    assert model_package([step("A", "Succeeded")]) is None


def test_a_step_that_has_not_ended_is_timed_so_far() -> None:
    assert duration(step("A", "Succeeded", 1, 3.5)) == 2.5
    assert duration(step("A", "Executing", 0), now=START.replace(second=4)) == 4.0
    assert duration({"StepName": "A"}) == 0.0
