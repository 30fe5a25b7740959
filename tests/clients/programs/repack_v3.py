"""A pipeline by SDK v3 whose model gets handlers: the SDK adds a step that packs them into the archive."""

import json
from pathlib import Path

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow import ModelStep, Pipeline, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.model_trainer import ModelTrainer

HERE = Path(__file__).parent / "direct"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
S3 = boto3.client("s3")


def put(bucket, key, text):
    S3.put_object(Bucket=bucket, Key=f"repack-v3/{key}", Body=text.encode())
    return f"s3://{bucket}/repack-v3/{key}"


def build():
    session = PipelineSession()
    bucket = session.default_bucket()
    features = np.random.default_rng(0).random((60, 3))
    table = np.column_stack([features @ [3.0, 1.0, 0.0], features])
    rows = "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in table)
    image = image_uris.retrieve("xgboost", region="us-east-1", version="1.7-1")
    trainer = ModelTrainer(
        training_image=image,
        role=ROLE,
        sagemaker_session=session,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/repack-v3/models"),
        hyperparameters={"objective": "reg:squarederror", "num_round": 10},
    )
    channel = InputData(channel_name="train", content_type="text/csv", data_source=put(bucket, "train/data.csv", rows))
    train = TrainingStep(name="Train", step_args=trainer.train(input_data_config=[channel]))
    builder = ModelBuilder(
        image_uri=image,
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=ROLE,
        sagemaker_session=session,
        source_code=SourceCode(source_dir=str(HERE), entry_script="handlers.py"),
    )
    create = ModelStep(name="Create", step_args=builder.build())
    transformer = Transformer(
        model_name=create.properties.ModelName,
        instance_type="ml.m5.large",
        instance_count=1,
        assemble_with="Line",
        output_path=f"s3://{bucket}/repack-v3/scores",
        sagemaker_session=session,
    )
    given = put(bucket, "features/rows.csv", "0.5,0.5,0.5\n0.1,0.2,0.3\n")
    transform = TransformStep(
        name="Transform", step_args=transformer.transform(data=given, content_type="text/csv", split_type="Line")
    )
    return Pipeline(name="RepackV3", steps=[train, create, transform], sagemaker_session=session), bucket


def main():
    pipeline, bucket = build()
    pipeline.upsert(role_arn=ROLE)
    execution = pipeline.start()
    try:
        execution.wait(delay=1, max_attempts=120)
    except Exception:
        pass
    steps = execution.list_steps()
    answer = {
        "status": execution.describe()["PipelineExecutionStatus"],
        "steps": {step["StepName"]: step["StepStatus"] for step in steps},
        "reasons": [step["FailureReason"] for step in steps if "FailureReason" in step],
    }
    if answer["status"] == "Succeeded":
        body = S3.get_object(Bucket=bucket, Key="repack-v3/scores/rows.csv.out")["Body"].read().decode()
        answer["scores"] = body.split()
    pipeline.delete()
    print("\n" + json.dumps(answer))


if __name__ == "__main__":
    main()
