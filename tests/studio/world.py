"""What the tests look at: pipelines with executions of every kind, models and objects, made once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, ROLE, Runner, processing_step

HILL = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hill:1"
"""Trains to a score that depends on x."""
EVIL = "<script>alert(1)</script>"
BAD = f"""
print('reading')
print({EVIL!r} + ' \\x1b[31mred')
def load(path):
    return open(path)
load('/missing.csv')
"""
GOOD = """
import json, sys, pathlib
out = pathlib.Path('/opt/ml/processing/evaluation')
auc = float(sys.argv[1])
roc = {'false_positive_rates': [0, 0.2, 1], 'true_positive_rates': [0, auc, 1]}
report = {'binary_classification_metrics': {'auc': {'value': auc, 'standard_deviation': 0.1},
    'confusion_matrix': {'0': {'0': 90, '1': 10}, '1': {'0': 20, '1': 80}},
    'receiver_operating_characteristic_curve': roc}}
(out / 'evaluation.json').write_text(json.dumps(report))
print('auc', auc)
"""
PARAMETERS: list[dict[str, Any]] = [
    {"Name": "Auc", "Type": "Float", "DefaultValue": 0.75},
    {"Name": "Rounds", "Type": "Integer", "DefaultValue": 3},
    {"Name": "Stage", "Type": "String", "DefaultValue": "dev", "EnumValues": ["dev", "prod"]},
    {"Name": "Note", "Type": "String", "DefaultValue": EVIL},
]


@dataclass(frozen=True)
class World:
    runner: Runner
    good: str
    better: str
    failed: str

    def id(self, arn: str) -> str:
        return arn.rsplit("/", 1)[-1]


def evaluated() -> list[dict[str, Any]]:
    """Evaluate, then Publish if the AUC is high enough, else Fail."""
    evaluate = processing_step(
        "Evaluate",
        "code/good.py",
        arguments=[{"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Auc"}]}}],
        outputs=["evaluation"],
    )
    evaluate["PropertyFiles"] = [
        {"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "evaluation.json"}
    ]
    evaluate["CacheConfig"] = {"Enabled": True, "ExpireAfter": "P1D"}
    auc = {
        "Std:JsonGet": {
            "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
            "Path": "binary_classification_metrics.auc.value",
        }
    }
    check = {
        "Name": "Check",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "GreaterThan", "LeftValue": auc, "RightValue": 0.5}],
            "IfSteps": [processing_step("Publish", "code/plain.py")],
            "ElseSteps": [{"Name": "TooLow", "Type": "Fail", "Arguments": {"ErrorMessage": EVIL}}],
        },
    }
    return [evaluate, check]


def populate(runner: Runner) -> World:
    runner.upload(GOOD, "code/good.py")
    runner.upload(BAD, "code/bad.py")
    runner.upload("print('done')", "code/plain.py")
    runner.upload(
        "import time\nfor i in range(600):\n    print('tick', i, flush=True)\n    time.sleep(0.1)", "code/slow.py"
    )
    runner.upload("a,b\n1,<b>x</b>\n", "data/table.csv")
    runner.upload(json.dumps({"k": [1, 2]}), "data/tree.json")
    runner.create(*evaluated(), name="quality", parameters=PARAMETERS)
    runner.create(processing_step("Load", "code/bad.py"), processing_step("After", depends_on=["Load"]), name="broken")
    runner.create(processing_step("Wait", "code/slow.py"), name="slow")
    good, failed = runner.start("quality"), runner.start("broken")
    runner.ended(good)
    better = runner.start("quality", Auc="0.9", Stage="prod")
    for execution, status in [(good, "Succeeded"), (better, "Succeeded"), (failed, "Failed")]:
        assert runner.ended(execution)["PipelineExecutionStatus"] == status
    _register(runner, [good, better])
    return World(runner, good, better, failed)


def _register(runner: Runner, executions: list[str]) -> None:
    runner.sagemaker.create_model_package_group(ModelPackageGroupName="quality")
    for execution in executions:
        uri = f"s3://{BUCKET}/{execution.rsplit('/', 1)[-1]}/Evaluate/evaluation/evaluation.json"
        runner.sagemaker.create_model_package(
            ModelPackageGroupName="quality",
            ModelPackageDescription=EVIL,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain:latest"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}},
        )


def tune(runner: Runner, name: str) -> dict[str, Any]:
    """Run a tuning job of three trials; its description once it has ended."""
    ranges = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "-10", "MaxValue": "10"}]}
    runner.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 3},
            "ParameterRanges": ranges,
            "RandomSeed": 7,
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": {
                "TrainingImage": HILL,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuned"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )

    def ended() -> Any:
        job = runner.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return job if job["HyperParameterTuningJobStatus"] == "Completed" else None

    job: dict[str, Any] = until(ended)
    return job
