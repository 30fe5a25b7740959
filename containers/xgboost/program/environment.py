"""The container as SageMaker sets it up: folders below /opt/ml and variables named SAGEMAKER_*."""

from __future__ import annotations

import os
from pathlib import Path


def variable(name: str, default: str) -> str:
    """A variable of the environment; SageMaker's tools also pass empty ones, which mean that it is not set."""
    return os.environ.get(name) or default


def base_folder() -> Path:
    """The folder that SageMaker mounts; SAGEMAKER_BASE_DIR moves it, as in AWS's own containers."""
    return Path(variable("SAGEMAKER_BASE_DIR", "/opt/ml"))
