"""Register: a version of the model in its group, with its quality report, servable by the image that trained it."""

from __future__ import annotations

from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow import ModelStep, ProcessingStep, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder

from pipelines.environment import Environment
from steps.evaluate.step import EVALUATION
from steps.storage import output_uri

GROUP = "flights"
CONTENT_TYPES = ["text/csv", "application/json"]


def register_step(
    environment: Environment, training: TrainingStep, evaluation: ProcessingStep, approval_status: ParameterString
) -> ModelStep:
    """A model package of the group ``flights``."""
    report = Join(on="/", values=[output_uri(evaluation, EVALUATION.output_name), EVALUATION.path])
    builder = ModelBuilder(
        image_uri=environment.image("xgboost"),
        s3_model_data_url=training.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=environment.role,
        sagemaker_session=environment.session,
    )
    arguments = builder.register(
        model_package_group_name=GROUP,
        content_types=CONTENT_TYPES,
        response_types=CONTENT_TYPES,
        inference_instances=["ml.m5.large", "ml.c5.large"],
        transform_instances=["ml.m5.large"],
        model_metrics=ModelMetrics(model_statistics=MetricsSource(content_type="application/json", s3_uri=report)),
        approval_status=approval_status,
        description="Probability that a flight from New York arrives more than 15 minutes late",
    )
    return ModelStep(name="Register", step_args=arguments)
