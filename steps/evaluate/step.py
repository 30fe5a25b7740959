"""Evaluate: the model on the test months, beside simple rules."""

from __future__ import annotations

from pathlib import Path

from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import ProcessingStep, TrainingStep

from pipelines.environment import Environment
from steps.storage import output_uri, processing_input, processing_output

SCRIPT = Path(__file__).with_name("script.py")
EVALUATION = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
"""A model quality report: conditions read its figures by JsonGet."""


def evaluate_step(
    environment: Environment, data: ProcessingStep, training: TrainingStep, instance_type: ParameterString
) -> ProcessingStep:
    """Output ``evaluation``: ``evaluation.json`` and ``baselines.json``. Runs in the image that trains and serves."""
    processor = ScriptProcessor(
        image_uri=environment.image("xgboost"),
        command=["python3"],
        role=environment.role,
        instance_type=instance_type,
        instance_count=1,
        base_job_name="flights-evaluate",
        sagemaker_session=environment.session,
    )
    model = training.properties.ModelArtifacts.S3ModelArtifacts
    arguments = processor.run(
        code=str(SCRIPT),
        inputs=[
            processing_input("model", model, "/opt/ml/processing/model"),
            processing_input("test", output_uri(data, "test"), "/opt/ml/processing/test"),
            processing_input("train", output_uri(data, "train"), "/opt/ml/processing/train"),
        ],
        outputs=[processing_output("evaluation", "/opt/ml/processing/evaluation")],
    )
    return ProcessingStep(name="Evaluate", step_args=arguments, property_files=[EVALUATION])
