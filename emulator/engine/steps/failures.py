"""Why a step failed, in the words of the service (PipelineExecutionStep.FailureReason)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.definition import StepDefinition
from emulator.engine.retries import RESOURCE_LIMIT

MAX_LENGTH = 1024


def create_failed(operation: str, error: AwsError, execution_arn: str, step: StepDefinition) -> str:
    """The operation that was to begin the step's work was refused."""
    reason = f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error.message}"
    configured = any(RESOURCE_LIMIT in policy.exceptions for policy in step.retries)
    if error.code == "ResourceLimitExceeded" and not configured:
        reason += (
            f"\nRetry not appropriate on execution of step with PipelineExecutionArn {execution_arn} and StepId"
            f" {step.name}. No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."
        )
    return reason


def invocation_failed(operation: str, error: AwsError) -> str:
    """An operation of another service, ``sqs:SendMessage``, was refused."""
    return f"ClientError: Failed to invoke {operation}. Error Details: {error.message}"


TIMED_OUT = "ClientError: The step timed out: "


def timed_out(what: str) -> str:
    """The service itself gave up waiting, which an execution that stops does not forgive."""
    return f"{TIMED_OUT}{what}"


def job_failed(job: Mapping[str, Any]) -> str:
    """The step's job failed by itself."""
    return f"ClientError: {job.get('FailureReason') or 'The job failed without a reason.'}"


def job_stopped(step: str, metadata: Mapping[str, Any]) -> str:
    """Somebody, or a time limit, stopped the step's job though nobody stopped the execution."""
    arn = next((part["Arn"] for part in metadata.values() if "Arn" in part), "of the step")
    return f"ClientError: The job {arn} of step '{step}' was stopped, by its time limit or by a stop request."


def cut(reason: str) -> str:
    """At most the 1,024 characters that the API allows, and none that are half a character."""
    reason = reason.encode(errors="replace").decode()
    return reason if len(reason) <= MAX_LENGTH else reason[: MAX_LENGTH - 1] + "…"
