"""Create model: what batch transform and endpoints serve, from the archive that a training job left."""

from __future__ import annotations

from typing import Any

from sagemaker.mlops.workflow import ModelStep
from sagemaker.serve.model_builder import ModelBuilder

from pipelines.environment import Environment


def create_model_step(environment: Environment, model_data: Any) -> ModelStep:
    """A model of the image that trained it, under a name of the execution's own."""
    builder = ModelBuilder(
        image_uri=environment.image("xgboost"),
        s3_model_data_url=model_data,
        role_arn=environment.role,
        sagemaker_session=environment.session,
    )
    return ModelStep(name="CreateModel", step_args=builder.build())
