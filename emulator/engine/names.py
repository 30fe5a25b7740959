"""Names that the service gives: of executions, and of the jobs of steps."""

from __future__ import annotations

import re
import secrets
import string

JOB_NAME_LENGTH = 63
TUNING_JOB_NAME_LENGTH = 32
_LOWER = string.ascii_lowercase + string.digits
_MIXED = string.ascii_letters + string.digits


def execution_id() -> str:
    """12 lower-case characters, as in ``…:pipeline/flights/execution/cos5h1n0dv8j``."""
    return "".join(secrets.choice(_LOWER) for _ in range(12))


def job_name(execution: str, step: str, prefix: str | None = None) -> str:
    """``pipelines-<execution>-<step>-<10 characters>``, or ``<prefix>-<execution>-<10 characters>``; at most 63 long.

    The latter is how a definition keeps its own job names (PipelineDefinitionConfig, ``use_custom_job_prefix``).
    """
    suffix = "".join(secrets.choice(_MIXED) for _ in range(10))
    if prefix is None:
        head, body = f"pipelines-{execution}-", re.sub(r"[^A-Za-z0-9-]", "-", step)
        return f"{head}{body[: JOB_NAME_LENGTH - len(head) - 11]}-{suffix}"
    tail = f"-{execution}-{suffix}"
    return f"{prefix[: JOB_NAME_LENGTH - len(tail)]}{tail}"


def tuning_job_name(execution: str, step: str, prefix: str | None = None) -> str:
    """``<execution>-<step>-<10 characters>``, or with the definition's own name first; at most 32 long."""
    tail = f"-{''.join(secrets.choice(_MIXED) for _ in range(10))}"
    if prefix is not None:
        tail = f"-{execution}{tail}"
        return f"{prefix[: TUNING_JOB_NAME_LENGTH - len(tail)]}{tail}"
    body = re.sub(r"[^A-Za-z0-9-]", "-", step)[: TUNING_JOB_NAME_LENGTH - len(execution) - 1 - len(tail)]
    return f"{execution}-{body}".rstrip("-") + tail
