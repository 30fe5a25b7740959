"""Score: every row of a prefix through the model, joined with what is to be kept of the row."""

from __future__ import annotations

from typing import Any

from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow import ModelStep, TransformStep

from pipelines.environment import Environment

WITHOUT_LABEL = "$[1:]"
"""Rows of the test file begin with the label, which the model is not to see."""
LABEL_AND_SCORE = "$[0,-1]"


def score_step(
    environment: Environment, model: ModelStep, data: Any, scores: str, instance_type: ParameterString
) -> TransformStep:
    """For each CSV file below ``data`` a file ``.out`` below ``scores/EXECUTION``, with ``label,probability`` a row."""
    transformer = Transformer(
        model_name=model.properties.ModelName,
        instance_count=1,
        instance_type=instance_type,
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=Join(on="/", values=[scores, ExecutionVariables.PIPELINE_EXECUTION_ID]),
        base_transform_job_name="flights-score",
        sagemaker_session=environment.session,
    )
    arguments = transformer.transform(
        data=data,
        content_type="text/csv",
        split_type="Line",
        input_filter=WITHOUT_LABEL,
        join_source="Input",
        output_filter=LABEL_AND_SCORE,
    )
    return TransformStep(name="Score", step_args=arguments)
