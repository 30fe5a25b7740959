"""Why a job fails, in AWS's words.

AWS gives a reason one of three families: ``ClientError`` (the request, its data or permissions), ``AlgorithmError``
(the user's code) and ``InternalServerError`` (the service). Retry policies and clients tell them apart by the prefix.
"""

from __future__ import annotations

from emulator.launchers.launcher import Exit

MAX_REASON = 1024
OUT_OF_MEMORY = (
    "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an"
    " instance."
)
INTERNAL = "InternalServerError: We encountered an internal error. Please try again."


class JobFailure(Exception):
    """The job ends as Failed with ``reason`` as its FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.full = reason
        self.reason = reason[:MAX_REASON]


def download_failed(detail: str) -> JobFailure:
    return JobFailure(f"ClientError: Data download failed:{detail}")


def upload_failed(detail: str) -> JobFailure:
    return JobFailure(f"ClientError: Artifact upload failed:{detail}")


def image_unusable(detail: str) -> JobFailure:
    return JobFailure(
        "ClientError: Cannot pull algorithm container. Either the image does not exist or its permissions are"
        f" incorrect. {detail}"
    )


def internal(detail: str) -> str:
    return f"{INTERNAL} ({detail}; see the emulator's log)"[:MAX_REASON]


def is_internal(reason: str | None) -> bool:
    """Whether it was the service's fault, after which another attempt may succeed."""
    return reason is not None and reason.startswith("InternalServerError")


def nothing_found(uri: str, bucket: str, region: str, role: str) -> str:
    """What CreateTrainingJob says of a prefix without objects."""
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in'
        f" the selected region ({region}), that objects exist under that S3 prefix, and that the role"
        f' "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def algorithm_error(exited: Exit, text: str) -> str:
    """The reason of a container that ended with another code than 0; ``text`` is what it said of its failure."""
    if exited.out_of_memory:
        return OUT_OF_MEMORY
    suffix = f", exit code: {exited.code}"
    return f"AlgorithmError: {text[: MAX_REASON - len(suffix) - 16]}{suffix}"
