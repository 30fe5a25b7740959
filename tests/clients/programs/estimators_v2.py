"""Estimators of SDK v2 in script mode, outside of a pipeline, with their log followed."""

import json
from pathlib import Path

import sagemaker
from sagemaker.sklearn import SKLearn
from sagemaker.xgboost import XGBoost

HERE = Path(__file__).parent / "scripts"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


def run(kind, version, **hyperparameters):
    estimator = kind(
        entry_point="train.py",
        source_dir=str(HERE),
        framework_version=version,
        instance_type="ml.m5.large",
        instance_count=1,
        role=ROLE,
        hyperparameters=hyperparameters,
        metric_definitions=[{"Name": "score", "Regex": "score=([0-9.]+);"}],
    )
    data = sagemaker.Session().upload_data(str(HERE / "numbers.csv"), key_prefix="numbers")
    estimator.fit({"train": data}, logs="All")
    described = estimator.latest_training_job.describe()
    metrics = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
    curve = estimator.training_job_analytics.dataframe()
    return {
        "status": described["TrainingJobStatus"],
        "metrics": metrics,
        "curve": curve[["metric_name", "value"]].values.tolist(),
        "model": estimator.model_data,
    }


def main():
    answer = {"sklearn": run(SKLearn, "1.2-1", factor=2), "xgboost": run(XGBoost, "1.7-1", factor=3)}
    try:
        run(SKLearn, "1.2-1", factor=0)
    except Exception as error:
        answer["failed"] = str(error)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
