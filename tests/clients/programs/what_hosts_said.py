"""What came of a training job on several hosts, by boto3 alone."""

import boto3

GROUP = "/aws/sagemaker/TrainingJobs"


def of_latest(name_contains):
    """Status, the lines of each host's log that begin with ``rank``, the size of the model."""
    sagemaker, logs, s3 = (boto3.client(name) for name in ("sagemaker", "logs", "s3"))
    name = sagemaker.list_training_jobs(NameContains=name_contains)["TrainingJobSummaries"][0]["TrainingJobName"]
    job = sagemaker.describe_training_job(TrainingJobName=name)
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    lines = {
        stream["logStreamName"].removeprefix(f"{name}/").rpartition("-")[0]: [
            event["message"]
            for event in logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"])["events"]
            if event["message"].startswith("rank ")
        ]
        for stream in streams
    }
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    return {"status": job["TrainingJobStatus"], "lines": lines, "size": size}
