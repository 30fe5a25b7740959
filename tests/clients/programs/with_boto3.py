"""A pipeline driven by boto3 alone."""

import json
import time

import boto3
import botocore
from definition import BUCKET, ROLE, SCRIPT, definition

ENDED = ("Succeeded", "Failed", "Stopped")


def main():
    sagemaker, s3, logs = boto3.client("sagemaker"), boto3.client("s3"), boto3.client("logs")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="code/say.py", Body=SCRIPT.encode())
    sagemaker.create_pipeline(
        PipelineName="ByBoto3", PipelineDefinition=definition(), RoleArn=ROLE, ClientRequestToken="t" * 32
    )
    execution = sagemaker.start_pipeline_execution(
        PipelineName="ByBoto3", PipelineParameters=[{"Name": "Word", "Value": "boto3"}]
    )["PipelineExecutionArn"]
    while True:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        if described["PipelineExecutionStatus"] in ENDED:
            break
        time.sleep(0.2)
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    group = "/aws/sagemaker/ProcessingJobs"
    job = step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"][0]["logStreamName"]
    lines = [event["message"] for event in logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]]
    key = f"{execution.rpartition('/')[2]}/said.txt"
    said = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    account = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com").get_caller_identity()["Account"]
    sagemaker.delete_pipeline(PipelineName="ByBoto3", ClientRequestToken="u" * 32)
    print(
        json.dumps(
            {
                "botocore": botocore.__version__,
                "status": described["PipelineExecutionStatus"],
                "log": lines,
                "said": said,
                "account": account,
                "left": [found["PipelineName"] for found in sagemaker.list_pipelines()["PipelineSummaries"]],
            }
        )
    )


if __name__ == "__main__":
    main()
