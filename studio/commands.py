"""Every action as the AWS CLI command that does the same."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any


def cli(service: str, operation: str, **members: Any) -> str:
    """``aws sagemaker stop-pipeline-execution --pipeline-execution-arn …``; members that are None are left out."""
    words = ["aws", service, _dashed(operation)]
    for name, value in members.items():
        if value is not None:
            words += [f"--{_dashed(name)}", shlex.quote(_text(value))]
    return " ".join(words)


def start_members(pipeline: str, parameters: Mapping[str, str], **others: Any) -> dict[str, Any]:
    """The members of StartPipelineExecution."""
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    return {"PipelineName": pipeline, "PipelineParameters": given or None} | {
        name: value for name, value in others.items() if value
    }


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
