"""Train: a gradient boosted classifier, from the outputs of Preprocess."""

from __future__ import annotations

from pathlib import Path

from sagemaker.core.shapes import MetricDefinition
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.mlops.workflow import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.train.model_trainer import ModelTrainer

from pipelines.environment import Environment
from steps.storage import output_uri

FOLDER = Path(__file__).parent
NOT_UPLOADED = ["step.py", "__init__.py", "__pycache__", ".*"]
CHANNELS = {"train": "text/csv", "validation": "text/csv", "features": "application/json"}
METRICS = [MetricDefinition(name="validation:auc", regex="validation-auc:([0-9.]+)")]
"""The script ends with the AUC of the model that it keeps, and SageMaker reports the last value of a metric."""


def train_step(
    environment: Environment,
    data: ProcessingStep,
    instance_type: ParameterString,
    max_depth: ParameterInteger,
    num_round: ParameterInteger,
    cache: CacheConfig,
) -> TrainingStep:
    """The model archive has ``xgboost-model`` and ``metadata.json``, which ``serve`` of the same image reads."""
    trainer = ModelTrainer(
        training_image=environment.image("xgboost"),
        source_code=SourceCode(source_dir=str(FOLDER), entry_script="script.py", ignore_patterns=NOT_UPLOADED),
        compute=Compute(instance_type=instance_type, instance_count=1, volume_size_in_gb=30),
        hyperparameters={"max_depth": max_depth.to_string(), "num_round": num_round.to_string()},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{environment.bucket}/flights/models"),
        role=environment.role,
        base_job_name="flights-train",
        sagemaker_session=environment.session,
    ).with_metric_definitions(METRICS)
    channels = [
        InputData(channel_name=name, data_source=output_uri(data, name), content_type=content_type)
        for name, content_type in CHANNELS.items()
    ]
    return TrainingStep(name="Train", step_args=trainer.train(input_data_config=channels), cache_config=cache)
