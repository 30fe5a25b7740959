"""PyTorch over two instances by SDK v3's own driver. It knows nothing of an emulator."""

import json
from pathlib import Path

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Compute, SourceCode
from sagemaker.train.distributed import Torchrun
from sagemaker.train.model_trainer import ModelTrainer

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6-cpu-py312"
GROUP = "/aws/sagemaker/TrainingJobs"

session = Session()
trainer = ModelTrainer(
    sagemaker_session=session,
    role="arn:aws:iam::123456789012:role/SageMaker",
    training_image=IMAGE,
    base_job_name="torchrun",
    source_code=SourceCode(source_dir=str(Path(__file__).parent / "torchrun"), entry_script="train.py"),
    distributed=Torchrun(process_count_per_node=1),
    compute=Compute(instance_type="ml.m5.large", instance_count=2, volume_size_in_gb=30),
)
trainer.train(wait=True, logs=False)
sagemaker, logs, s3 = (boto3.client(name) for name in ("sagemaker", "logs", "s3"))
name = sagemaker.list_training_jobs(NameContains="torchrun")["TrainingJobSummaries"][0]["TrainingJobName"]
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
print(json.dumps({"status": job["TrainingJobStatus"], "lines": lines, "size": size}))
