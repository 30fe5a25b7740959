"""A pipeline definition written by hand: a script of one line in AWS's scikit-learn image."""

import json

BUCKET = "clients-bucket"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SCRIPT = """\
import os, sys, sklearn
with open("/opt/ml/processing/output/said.txt", "w") as file:
    file.write(" ".join(sys.argv[1:]))
print("sklearn", sklearn.__version__, "says", sys.argv[1:])
"""


def definition():
    step = {
        "Name": "Say",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}
            },
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/say.py"],
                "ContainerArguments": [{"Get": "Parameters.Word"}],
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": f"s3://{BUCKET}/code/say.py",
                        "LocalPath": "/opt/ml/processing/input/code",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "said",
                        "S3Output": {
                            "S3Uri": {
                                "Std:Join": {
                                    "On": "/",
                                    "Values": [f"s3://{BUCKET}", {"Get": "Execution.PipelineExecutionId"}],
                                }
                            },
                            "LocalPath": "/opt/ml/processing/output",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        },
    }
    word = {"Name": "Word", "Type": "String", "DefaultValue": "hello"}
    return json.dumps({"Version": "2020-12-01", "Parameters": [word], "Steps": [step]})


if __name__ == "__main__":
    print(definition())
