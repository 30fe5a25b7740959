"""PySparkProcessor of SDK v2: a script, a module beside it, a configuration and event logs."""

import json
from pathlib import Path

import boto3
import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.spark.processing import PySparkProcessor

HERE = Path(__file__).parent / "direct"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SESSION = sagemaker.Session()
BUCKET = SESSION.default_bucket()
S3 = boto3.client("s3")


def keys(prefix):
    return [item["Key"] for item in S3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def main():
    S3.put_object(Bucket=BUCKET, Key="spark/in/a.csv", Body=b"a,1\nb,2\n")
    S3.put_object(Bucket=BUCKET, Key="spark/in/b.csv", Body=b"b,3\n")
    processor = PySparkProcessor(
        base_job_name="spark",
        framework_version="3.3",
        role=ROLE,
        instance_count=1,
        instance_type="ml.m5.xlarge",
        sagemaker_session=SESSION,
    )
    base = "/opt/ml/processing"
    processor.run(
        submit_app=str(HERE / "spark_job.py"),
        submit_py_files=[str(HERE / "spark_modules" / "spark_words.py")],
        arguments=["--input", f"{base}/input/data", "--output", f"{base}/output/sums"],
        inputs=[ProcessingInput(source=f"s3://{BUCKET}/spark/in", destination=f"{base}/input/data")],
        outputs=[ProcessingOutput(source=f"{base}/output", destination=f"s3://{BUCKET}/spark/out")],
        configuration=[
            {"Classification": "spark-defaults", "Properties": {"spark.sql.shuffle.partitions": "2"}},
        ],
        spark_event_logs_s3_uri=f"s3://{BUCKET}/spark/events",
        logs=False,
    )
    (part,) = [key for key in keys("spark/out/sums/") if key.endswith(".csv")]
    group = "/aws/sagemaker/ProcessingJobs"
    logs = boto3.client("logs")
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=processor.latest_job.job_name)[
        "logStreams"
    ]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    answer = {
        "sums": S3.get_object(Bucket=BUCKET, Key=part)["Body"].read().decode().split(),
        "events": [key for key in keys("spark/events/") if not key.endswith(".inprogress")],
        "said": [event["message"] for event in events["events"] if event["message"].startswith("shuffle")],
    }
    print("\n" + json.dumps(answer))


if __name__ == "__main__":
    main()
