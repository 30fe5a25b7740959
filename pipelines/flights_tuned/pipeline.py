"""Tune the model of flights, and score the test months with the best one."""

from __future__ import annotations

from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow import CacheConfig, Pipeline

from pipelines.environment import Environment
from pipelines.flights.seed import seed_uri
from steps.create_model.step import create_model_step
from steps.preprocess.step import preprocess_step
from steps.score.step import score_step
from steps.storage import output_uri
from steps.tune.step import best_model, tune_step


def build(environment: Environment) -> Pipeline:
    """Preprocess -> Tune -> CreateModel -> Score."""
    input_data = ParameterString("InputDataUri", default_value=seed_uri(environment.bucket))
    processing_instance = ParameterString("ProcessingInstanceType", default_value="ml.m5.large")
    training_instance = ParameterString("TrainingInstanceType", default_value="ml.m5.large")
    transform_instance = ParameterString("TransformInstanceType", default_value="ml.m5.large")
    cache = CacheConfig(enable_caching=True, expire_after="P30D")

    preprocess = preprocess_step(environment, input_data, processing_instance, cache)
    tune = tune_step(environment, preprocess, training_instance, cache)
    model = create_model_step(environment, best_model(environment, tune))
    scores = f"s3://{environment.bucket}/flights-tuned/scores"
    score = score_step(environment, model, output_uri(preprocess, "test"), scores, transform_instance)
    return Pipeline(
        name="flights-tuned",
        parameters=[input_data, processing_instance, training_instance, transform_instance],
        steps=[preprocess, tune, model, score],
        sagemaker_session=environment.session,
    )
