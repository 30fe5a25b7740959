"""Where steps read and write: S3 on one side, the folders of the container on the other."""

from __future__ import annotations

from typing import Any

from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.mlops.workflow import ProcessingStep


def processing_input(name: str, uri: Any, path: str) -> ProcessingInput:
    """An input of a processing job: every object below ``uri``, at ``path`` in the container."""
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=path,
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def processing_output(name: str, path: str) -> ProcessingOutput:
    """An output of a processing job, uploaded at its end to ``s3://BUCKET/PIPELINE/EXECUTION/STEP/output/NAME``."""
    target = ProcessingS3Output(s3_uri="", local_path=path, s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=target)


def output_uri(step: ProcessingStep, name: str) -> Any:
    """Where an execution of ``step`` puts its output ``name``."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri
