"""Tune: the same trees as Train, by the image's own program, with the settings that do best on validation."""

from __future__ import annotations

from typing import Any

from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow import CacheConfig, ProcessingStep, TuningStep
from sagemaker.train.model_trainer import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

from pipelines.environment import Environment
from steps.storage import output_uri

PREFIX = "flights-tuned/models"
MAX_JOBS = 8
"""A small budget, and no parameter of the pipeline: the SDK takes nothing but an integer."""
OBJECTIVE = "validation:auc"
METRICS = [{"Name": OBJECTIVE, "Regex": r"validation-auc:([0-9.]+)"}]
FIXED = {
    "objective": "binary:logistic",
    "eval_metric": "auc",
    "tree_method": "hist",
    "max_bin": "64",
    "num_round": "40",
    "early_stopping_rounds": "10",
    "seed": "2013",
}
RANGES = {
    "max_depth": IntegerParameter(3, 9),
    "eta": ContinuousParameter(0.05, 0.5, scaling_type="Logarithmic"),
    "min_child_weight": ContinuousParameter(1, 100, scaling_type="Logarithmic"),
    "subsample": ContinuousParameter(0.5, 1),
    "colsample_bytree": ContinuousParameter(0.3, 1),
}


def tune_step(
    environment: Environment, data: ProcessingStep, instance_type: ParameterString, cache: CacheConfig
) -> TuningStep:
    """Bayesian search for the AUC on the validation months; the same seed tries the same settings first."""
    trainer = ModelTrainer(
        training_image=environment.image("xgboost"),
        compute=Compute(instance_type=instance_type, instance_count=1, volume_size_in_gb=30),
        hyperparameters=dict(FIXED),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{environment.bucket}/{PREFIX}"),
        role=environment.role,
        base_job_name="flights-tune",
        sagemaker_session=environment.session,
    )
    tuner = HyperparameterTuner(
        trainer,
        objective_metric_name=OBJECTIVE,
        hyperparameter_ranges=dict(RANGES),
        metric_definitions=METRICS,
        strategy="Bayesian",
        objective_type="Maximize",
        max_jobs=MAX_JOBS,
        max_parallel_jobs=2,
        random_seed=2013,
    )
    channels = [
        InputData(channel_name=name, data_source=output_uri(data, name), content_type="text/csv")
        for name in ("train", "validation")
    ]
    return TuningStep(name="Tune", step_args=tuner.tune(inputs=channels, wait=False), cache_config=cache)


def best_model(environment: Environment, tuning: TuningStep) -> Any:
    """Where the model of the best training job lies."""
    return tuning.get_top_model_s3_uri(top_k=0, s3_bucket=environment.bucket, prefix=PREFIX)
