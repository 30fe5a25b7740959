"""Preprocess: from the tables of a year of flights to features and label, split by time."""

from __future__ import annotations

from pathlib import Path

from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow import CacheConfig, ProcessingStep

from pipelines.environment import Environment
from steps.storage import processing_input, processing_output

SCRIPT = Path(__file__).with_name("script.py")
OUTPUTS = ("train", "validation", "test", "features")


def preprocess_step(
    environment: Environment, input_data: ParameterString, instance_type: ParameterString, cache: CacheConfig
) -> ProcessingStep:
    """Outputs ``train``, ``validation`` and ``test`` (CSV) and ``features`` (what their columns are)."""
    processor = ScriptProcessor(
        image_uri=environment.image("processing"),
        command=["python3"],
        role=environment.role,
        instance_type=instance_type,
        instance_count=1,
        base_job_name="flights-preprocess",
        sagemaker_session=environment.session,
    )
    arguments = processor.run(
        code=str(SCRIPT),
        inputs=[processing_input("tables", input_data, "/opt/ml/processing/input")],
        outputs=[processing_output(name, f"/opt/ml/processing/{name}") for name in OUTPUTS],
    )
    return ProcessingStep(name="Preprocess", step_args=arguments, cache_config=cache)
