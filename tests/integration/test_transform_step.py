"""Model and Transform steps: the model made by one step is what the other sends its records to."""

import pytest

from tests.integration.small_pipelines import BUCKET, ROLE
from tests.integration.transform_desk import IMAGE, archive


@pytest.fixture
def steps(runner):
    runner.s3.put_object(Bucket=BUCKET, Key="transform-step/model.tar.gz", Body=archive(weight=b"10"))
    model = {
        "Name": "CreateModel",
        "Type": "Model",
        "Arguments": {
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/transform-step/model.tar.gz"},
        },
    }
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/transform-step/rows/"}
    output = {
        "Std:Join": {"On": "/", "Values": [f"s3://{BUCKET}/transform-step", {"Get": "Execution.PipelineExecutionId"}]}
    }
    score = {
        "Name": "Score",
        "Type": "Transform",
        "CacheConfig": {"Enabled": False},
        "Arguments": {
            "ModelName": {"Get": "Steps.CreateModel.ModelName"},
            "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
            "TransformOutput": {"S3OutputPath": output, "AssembleWith": "Line", "Accept": "text/csv"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            "DataProcessing": {"JoinSource": "Input", "InputFilter": "$[1:]"},
        },
    }
    told = {
        "Name": "Told",
        "Type": "Fail",
        "Arguments": {
            "ErrorMessage": {
                "Std:Join": {"On": " ", "Values": ["stored in", {"Get": "Steps.Score.TransformOutput.S3OutputPath"}]}
            }
        },
    }
    return [model, score, told]


def test_a_model_step_and_a_transform_step(runner, steps):
    runner.s3.put_object(Bucket=BUCKET, Key="transform-step/rows/a.csv", Body=b"7,1,2\n8,3,4\n")
    execution, ran = runner.run(*steps, name="transform-step")
    assert ran["Score"]["StepStatus"] == "Succeeded", ran["Score"]
    arn = ran["Score"]["Metadata"]["TransformJob"]["Arn"]
    job = runner.sagemaker.describe_transform_job(TransformJobName=arn.rsplit("/", 1)[-1])
    assert job["ModelName"] == ran["CreateModel"]["Metadata"]["Model"]["Arn"].rsplit("/", 1)[-1]
    place = job["TransformOutput"]["S3OutputPath"]
    assert ran["Told"]["FailureReason"].endswith(f"stored in {place}")
    key = place.removeprefix(f"s3://{BUCKET}/") + "/a.csv.out"
    assert runner.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"7,1,2,30\n8,3,4,70\n"
    assert execution["PipelineExecutionStatus"] == "Failed"


def test_a_transform_job_that_fails_fails_its_step(runner, steps):
    runner.s3.put_object(Bucket=BUCKET, Key="transform-step/bad/a.csv", Body=b"7,bad\n")
    source = steps[1]["Arguments"]["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/transform-step/bad/"
    _, ran = runner.run(*steps[:2], name="transform-step-fails")
    assert ran["Score"]["StepStatus"] == "Failed"
    assert ran["Score"]["FailureReason"] == "ClientError: ClientError: See job logs for more information"
