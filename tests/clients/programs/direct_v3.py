"""Jobs outside of pipelines by SDK v3: train, tune, process, transform. It knows nothing of an emulator."""

import json
import sys
from pathlib import Path

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.shapes import (
    HyperParameterTuningJobWarmStartConfig,
    ParentHyperParameterTuningJob,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import CheckpointConfig, Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.distributed import Torchrun
from sagemaker.train.model_trainer import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

HERE = Path(__file__).parent / "direct"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SESSION = Session()
BUCKET = SESSION.default_bucket()
REGION = "us-east-1"
XGBOOST = image_uris.retrieve("xgboost", region=REGION, version="1.7-1")
SKLEARN = image_uris.retrieve("sklearn", region=REGION, version="1.2-1")
PYTORCH = image_uris.retrieve(
    "pytorch", region=REGION, version="2.3", py_version="py311", image_scope="training", instance_type="ml.m5.large"
)
S3 = boto3.client("s3")


def put(key, text):
    S3.put_object(Bucket=BUCKET, Key=f"direct-v3/{key}", Body=text.encode())
    return f"s3://{BUCKET}/direct-v3/{key}"


def read(uri):
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return S3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def rows(seed):
    features = np.random.default_rng(seed).random((60, 3))
    labels = features @ [3.0, 1.0, 0.0]
    return "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in np.column_stack([labels, features]))


CHANNELS = [
    InputData(channel_name=name, content_type="text/csv", data_source=put(f"{name}/data.csv", rows(seed)))
    for seed, name in enumerate(("train", "validation"))
]
FEATURES = put("features/rows.csv", "0.5,0.5,0.5\n0.1,0.2,0.3\n")


def trainer(image, **options):
    return ModelTrainer(
        training_image=image,
        role=ROLE,
        sagemaker_session=SESSION,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/direct-v3/models"),
        **options,
    )


def ended(training):
    job = training._latest_training_job.refresh()
    metrics = job.final_metric_data_list
    return {
        "status": job.training_job_status,
        "metrics": {metric.metric_name: metric.value for metric in metrics} if isinstance(metrics, list) else {},
        "model": job.model_artifacts.s3_model_artifacts,
    }


def logs(training):
    client, group = boto3.client("logs"), "/aws/sagemaker/TrainingJobs"
    name = training._latest_training_job.training_job_name
    (stream,) = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)["logStreams"]
    events = client.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    return [event["message"] for event in events["events"]]


def script():
    """Requirements, hyperparameters, a checkpoint that a second job goes on from; then a command."""
    answer = []
    for _ in range(2):
        training = trainer(
            SKLEARN,
            source_code=SourceCode(
                source_dir=str(HERE), entry_script="train_checkpoint.py", requirements="requirements-v3.txt"
            ),
            hyperparameters={"alpha": 0.5, "name": "a b"},
            checkpoint_config=CheckpointConfig(s3_uri=f"s3://{BUCKET}/direct-v3/checkpoints"),
        )
        training.train(wait=True, logs=False)
        lines = logs(training)
        said = next(line for line in lines if line.startswith("count="))
        installed = any(line.startswith("Successfully installed") for line in lines)
        answer.append({**ended(training), "said": said, "installed": installed})
    command = trainer(SKLEARN, source_code=SourceCode(source_dir=str(HERE), command="echo said=$((6 * 7))"))
    command.train(wait=True, logs=False)
    return {"jobs": answer, "command": [line for line in logs(command) if line.startswith("said=")]}


def torchrun():
    training = trainer(
        PYTORCH,
        source_code=SourceCode(source_dir=str(HERE), entry_script="train_torch.py"),
        hyperparameters={"factor": 1.5},
        distributed=Torchrun(process_count_per_node=2),
    )
    training.train(wait=True, logs=False)
    ranks = sorted(line[line.index("rank ") :] for line in logs(training) if "rank " in line and "total=" in line)
    builder = ModelBuilder(
        image_uri=PYTORCH.replace("-training", "-inference"),
        s3_model_data_url=ended(training)["model"],
        role_arn=ROLE,
        sagemaker_session=SESSION,
    )
    builder.build(model_name="direct-v3-torch")
    transformer = builder.transformer(instance_count=1, instance_type="ml.m5.large", accept="application/json")
    transformer.transform(FEATURES, content_type="text/csv", wait=True, logs=False)
    return {"ranks": ranks, "scores": json.loads(read(f"{transformer.output_path}/rows.csv.out"))}


def tuning():
    def tuner(**options):
        return HyperparameterTuner(
            trainer(XGBOOST, hyperparameters={"objective": "reg:squarederror", "num_round": "5"}),
            objective_metric_name="validation:rmse",
            hyperparameter_ranges={"eta": ContinuousParameter(0.1, 0.5), "max_depth": IntegerParameter(1, 4)},
            metric_definitions=[{"Name": "validation:rmse", "Regex": r"validation-rmse:([0-9.]+)"}],
            objective_type="Minimize",
            max_jobs=3,
            max_parallel_jobs=2,
            **options,
        )

    first = tuner(base_tuning_job_name="first")
    first.tune(inputs=CHANNELS, wait=True)
    parent = HyperParameterTuningJobWarmStartConfig(
        parent_hyper_parameter_tuning_jobs=[
            ParentHyperParameterTuningJob(
                hyper_parameter_tuning_job_name=first.latest_tuning_job.hyper_parameter_tuning_job_name
            )
        ],
        warm_start_type="TransferLearning",
    )
    warm = tuner(base_tuning_job_name="warm", warm_start_config=parent)
    warm.tune(inputs=CHANNELS, wait=True)
    described = warm.describe()
    return {
        "best": first.best_training_job(),
        "warm": described.warm_start_config.warm_start_type,
        "completed": described.training_job_status_counters.completed,
    }


def algorithm():
    """XGBoost's algorithm, its model built and asked."""
    training = trainer(XGBOOST, hyperparameters={"objective": "reg:squarederror", "num_round": 10})
    training.train(input_data_config=CHANNELS, wait=True, logs=False)
    builder = ModelBuilder(
        image_uri=XGBOOST, s3_model_data_url=ended(training)["model"], role_arn=ROLE, sagemaker_session=SESSION
    )
    builder.build(model_name="direct-v3-xgboost")
    transformer = builder.transformer(instance_count=1, instance_type="ml.m5.large", assemble_with="Line")
    transformer.transform(FEATURES, content_type="text/csv", split_type="Line", wait=True, logs=False)
    scores = [float(line) for line in read(f"{transformer.output_path}/rows.csv.out").split()]
    return {"metrics": sorted(ended(training)["metrics"]), "scores": scores}


def processing():
    data = ProcessingS3Input(
        s3_uri=CHANNELS[0].data_source, local_path="/opt/ml/processing/input/data", s3_data_type="S3Prefix",
        s3_input_mode="File",
    )  # fmt: skip
    common = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": SESSION}
    answer = {}
    for name, processor in (
        ("script", ScriptProcessor(image_uri=SKLEARN, command=["python3"], **common)),
        ("framework", FrameworkProcessor(image_uri=PYTORCH, command=["python3"], **common)),
    ):
        folder = f"s3://{BUCKET}/direct-v3/processed/{name}"
        target = ProcessingS3Output(s3_uri=folder, local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob")
        framework = name == "framework"
        options = {"source_dir": str(HERE), "requirements": "requirements-v3.txt"} if framework else {}
        processor.run(
            code="process.py" if framework else str(HERE / "process.py"),
            inputs=[ProcessingInput(input_name="data", s3_input=data)],
            outputs=[ProcessingOutput(output_name="said", s3_output=target)],
            arguments=["--name", name],
            wait=True,
            logs=False,
            **options,
        )
        answer[name] = json.loads(read(f"{folder}/said.json"))
    return answer


def main():
    parts = {each.__name__: each for each in (script, torchrun, tuning, algorithm, processing)}
    answer = {name: parts[name]() for name in sys.argv[1:] or parts}
    print("\n" + json.dumps(answer))  # the SDK's dots have no line of their own


if __name__ == "__main__":
    main()
