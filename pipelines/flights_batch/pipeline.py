"""Score flights in batch: each flight of the test months with the probability that it arrives late."""

from __future__ import annotations

from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.mlops.workflow import CacheConfig, Pipeline

from pipelines.environment import Environment
from pipelines.flights.seed import seed_uri
from steps.create_model.step import create_model_step
from steps.preprocess.step import preprocess_step
from steps.score.step import score_step
from steps.storage import output_uri
from steps.train.step import train_step


def build(environment: Environment) -> Pipeline:
    """Preprocess -> Train -> CreateModel -> Score."""
    input_data = ParameterString("InputDataUri", default_value=seed_uri(environment.bucket))
    processing_instance = ParameterString("ProcessingInstanceType", default_value="ml.m5.large")
    training_instance = ParameterString("TrainingInstanceType", default_value="ml.m5.large")
    transform_instance = ParameterString("TransformInstanceType", default_value="ml.m5.large")
    max_depth = ParameterInteger("MaxDepth", default_value=6)
    num_round = ParameterInteger("NumRound", default_value=60)
    cache = CacheConfig(enable_caching=True, expire_after="P30D")

    preprocess = preprocess_step(environment, input_data, processing_instance, cache)
    train = train_step(environment, preprocess, training_instance, max_depth, num_round, cache)
    model = create_model_step(environment, train.properties.ModelArtifacts.S3ModelArtifacts)
    scores = f"s3://{environment.bucket}/flights-batch/scores"
    score = score_step(environment, model, output_uri(preprocess, "test"), scores, transform_instance)
    return Pipeline(
        name="flights-batch",
        parameters=[input_data, processing_instance, training_instance, transform_instance, max_depth, num_round],
        steps=[preprocess, train, model, score],
        sagemaker_session=environment.session,
    )
