"""The jobs behind steps: from the ARN in a step's metadata to the job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.connection import Connection


@dataclass(frozen=True)
class JobKind:
    """What one kind of job is called in the API and in CloudWatch Logs."""

    name: str
    log_group: str

    @property
    def operation(self) -> str:
        """``training_job`` of the client's ``describe_training_job``."""
        from botocore import xform_name

        return str(xform_name(self.name))


KINDS = {
    kind.name: kind
    for kind in (
        JobKind("ProcessingJob", "/aws/sagemaker/ProcessingJobs"),
        JobKind("TrainingJob", "/aws/sagemaker/TrainingJobs"),
        JobKind("TransformJob", "/aws/sagemaker/TransformJobs"),
    )
}
"""By their names in the metadata of a step (ListPipelineExecutionSteps)."""


def job_of(step: dict[str, Any]) -> tuple[JobKind, str] | None:
    """Kind and ARN of the job behind a step as ListPipelineExecutionSteps gives it; None if it runs none."""
    for name, details in (step.get("Metadata") or {}).items():
        if name in KINDS and details.get("Arn"):
            return KINDS[name], str(details["Arn"])
    return None


def describe_job(connection: Connection, kind: JobKind, arn: str) -> dict[str, Any]:
    """The Describe response of a job, given its ARN.

    SageMaker may lower-case the name in an ARN, and log streams go by the name as it was given: so the end of the ARN
    is tried as a name, and otherwise the job is looked for among those of its execution.
    """
    from botocore.exceptions import ClientError

    try:
        return _describe(connection, kind, arn.rpartition("/")[2])
    except ClientError as error:
        name = _find_name(connection, kind, arn) if is_missing(error) else None
        if name is None:
            raise
        return _describe(connection, kind, name)


def _describe(connection: Connection, kind: JobKind, name: str) -> dict[str, Any]:
    describe = getattr(connection.sagemaker, f"describe_{kind.operation}")
    answer: dict[str, Any] = describe(**{f"{kind.name}Name": name})
    return answer


def _find_name(connection: Connection, kind: JobKind, arn: str) -> str | None:
    execution = "-".join(arn.rpartition("/")[2].split("-")[:2])  # pipelines-<execution id>-<step>-<random>
    pages = connection.sagemaker.get_paginator(f"list_{kind.operation}s").paginate(NameContains=execution)
    for page in pages:
        for item in page[f"{kind.name}Summaries"]:
            if item[f"{kind.name}Arn"] == arn:
                return str(item[f"{kind.name}Name"])
    return None
