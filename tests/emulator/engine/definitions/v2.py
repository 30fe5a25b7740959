"""Definitions as SageMaker SDK v2 writes them, by hand: what differs from v3 in form is here.

v2 adds ``DebugHookConfig`` and ``ProfilerConfig`` to training jobs and script mode's hyperparameters, which are JSON
texts; calls the steps of a ModelStep ``<name>-RegisterModel`` and ``<name>-CreateModel``; and writes explicit nulls.
"""

from __future__ import annotations

from typing import Any

ROLE = "arn:aws:iam::123456789012:role/SageMaker"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARTIFACTS = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


def step(name: str, kind: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


TRAIN = step(
    "Train",
    "Training",
    {
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": IMAGE},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "ResourceConfig": {"VolumeSizeInGB": 30, "InstanceCount": 1, "InstanceType": "ml.m5.large"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": {"Get": "Parameters.Data"},
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "ContentType": "text/csv",
                "ChannelName": "train",
            }
        ],
        "HyperParameters": {
            "num_round": '"5"',
            "sagemaker_submit_directory": '"s3://bucket/xgb/source/sourcedir.tar.gz"',
            "sagemaker_program": '"train.py"',
            "sagemaker_container_log_level": "20",
            "sagemaker_region": '"us-east-1"',
        },
        "DebugHookConfig": {"S3OutputPath": "s3://bucket/", "CollectionConfigurations": []},
        "ProfilerConfig": {"S3OutputPath": "s3://bucket/", "DisableProfiler": False},
    },
    CacheConfig={"Enabled": True, "ExpireAfter": "30d"},
)

EVALUATE = step(
    "Evaluate",
    "Processing",
    {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/evaluate.py"],
        },
        "RoleArn": ROLE,
        "ProcessingInputs": [
            {
                "InputName": "input-1",
                "AppManaged": False,
                "S3Input": {
                    "S3Uri": ARTIFACTS,
                    "LocalPath": "/opt/ml/processing/model",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                    "S3DataDistributionType": "FullyReplicated",
                    "S3CompressionType": "None",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "evaluation",
                    "AppManaged": False,
                    "S3Output": {
                        "S3Uri": "s3://bucket/evaluation",
                        "LocalPath": "/opt/ml/processing/evaluation",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    },
    PropertyFiles=[{"PropertyFileName": "Report", "OutputName": "evaluation", "FilePath": "evaluation.json"}],
    RetryPolicies=[
        {"BackoffRate": 2.0, "IntervalSeconds": 1, "MaxAttempts": 5, "ExceptionType": ["Step.SERVICE_FAULT"]}
    ],
)

AUC = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "metrics.auc.value"}}

REGISTER = step(
    "Model-RegisterModel",
    "RegisterModel",
    {
        "ModelPackageGroupName": "group",
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://bucket/evaluation", "evaluation.json"]}},
                }
            },
            "Bias": {},
            "Explainability": {},
        },
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "Environment": {}, "ModelDataUrl": ARTIFACTS}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.t2.medium", "ml.m5.xlarge"],
            "SupportedTransformInstanceTypes": ["ml.m5.xlarge"],
        },
        "ModelApprovalStatus": {"Get": "Parameters.Approval"},
        "SkipModelValidation": "None",
    },
)

CREATE = step(
    "Model-CreateModel",
    "Model",
    {
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": IMAGE, "Environment": {}, "ModelDataUrl": ARTIFACTS},
    },
)

CHECK = step(
    "Check",
    "Condition",
    {
        "Conditions": [{"Type": "GreaterThanOrEqualTo", "LeftValue": AUC, "RightValue": {"Get": "Parameters.Least"}}],
        "IfSteps": [REGISTER, CREATE],
        "ElseSteps": [
            step("Bad", "Fail", {"ErrorMessage": {"Std:Join": {"On": " ", "Values": ["AUC is", AUC]}}}),
        ],
    },
)


def pipeline(*steps: dict[str, Any]) -> dict[str, Any]:
    """A definition with v2's envelope."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": "Data", "Type": "String", "DefaultValue": "s3://bucket/train"},
            {"Name": "Least", "Type": "Float", "DefaultValue": 0.8},
            {"Name": "Approval", "Type": "String", "DefaultValue": "Approved", "EnumValues": ["Approved", "Rejected"]},
        ],
        "PipelineExperimentConfig": {
            "ExperimentName": {"Get": "Execution.PipelineName"},
            "TrialName": {"Get": "Execution.PipelineExecutionId"},
        },
        "Steps": list(steps),
    }


DEFINITIONS: dict[str, dict[str, Any]] = {
    "training": pipeline(TRAIN),
    "evaluation": pipeline(TRAIN, EVALUATE, CHECK),
    "lambda": pipeline(
        step("Fn", "Lambda", {"x": 1}, FunctionArn=FUNCTION, OutputParameters=[], CacheConfig=None, DependsOn=None)
    ),
    "callback": pipeline(
        step(
            "Ask",
            "Callback",
            {"a": 1},
            SqsQueueUrl="https://sqs.us-east-1.amazonaws.com/123456789012/q",
            OutputParameters=[{"OutputName": "answer", "OutputType": "String"}],
        )
    ),
    "tuning": pipeline(step("Tune", "Tuning", {"HyperParameterTuningJobConfig": {"Strategy": "Bayesian"}})),
    "automl": pipeline(step("Auto", "AutoML", {"RoleArn": ROLE})),
    "quality_check": pipeline(
        step(
            "Quality",
            "QualityCheck",
            {"RoleArn": ROLE},
            CheckType="DATA_QUALITY",
            ModelPackageGroupName=None,
            SkipCheck=False,
            FailOnViolation=True,
            RegisterNewBaseline=False,
            SuppliedBaselineStatistics=None,
            SuppliedBaselineConstraints=None,
        )
    ),
    "clarify_check": pipeline(step("Bias", "ClarifyCheck", {"RoleArn": ROLE}, CheckType="DATA_BIAS")),
    "emr": pipeline(step("Spark", "EMR", {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "x.jar"}}})),
    "job": pipeline(
        step(
            "Job",
            "Job",
            {
                "RoleArn": ROLE,
                "JobCategory": "DataTransformation",
                "JobConfigSchemaVersion": "1.0.0",
                "JobConfigDocument": "{}",
            },
        )
    ),
}
