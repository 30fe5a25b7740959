"""What a build depends on, as one hash; computed without importing the SDK."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from pathlib import Path

from pipelines.catalog import PipelineSource
from pipelines.environment import Environment
from pipelines.fingerprint import hash_files, hash_folder

SDK_PACKAGES = ("sagemaker", "sagemaker-core", "sagemaker-mlops", "sagemaker-serve", "sagemaker-train", "boto3")
BUILD_MODULES = (
    *("archives", "assets", "build", "capture", "compile", "definition", "environment"),
    *("fingerprint", "images", "inputs", "overlay", "purity", "quick_sdk", "request", "sources"),
)
"""Modules of this tool that have a part in what a build yields."""
BUILD_FIELDS = (
    *("name", "account", "region", "role", "bucket", "kms_key", "subnets", "security_groups"),
    *("tags", "instance_types", "parameters"),
)
"""Fields of an environment that a build sees."""


def hash_inputs(source: PipelineSource, environment: Environment) -> str:
    """SHA-256 over all that may change the build of a pipeline: sources, tool, environment, SDK and Python."""
    root = environment.root
    tool = Path(__file__).parent
    parts = {
        "pipeline": [source.name, hash_folder(source.folder)],
        "steps": hash_folder(root / "steps"),
        "containers": hash_folder(root / "containers"),
        "tool": hash_files((name, tool / f"{name}.py") for name in BUILD_MODULES),
        "environment": {field: getattr(environment, field) for field in BUILD_FIELDS},
        "sdk": {name: _version(name) for name in SDK_PACKAGES},
        "python": platform.python_version(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def hash_reads(root: Path, paths: Iterable[str]) -> dict[str, str | None]:
    """Hashes of files, by path relative to ``root``; None where there is no such file."""
    return {path: _hash_file(root / path) for path in sorted(paths)}


def usual_prefixes(source: PipelineSource) -> list[str]:
    """Prefixes, relative to the checkout, of the files that :func:`hash_inputs` covers."""
    return [f"pipelines/{source.folder.name}/", "steps/", "containers/"]


def _hash_file(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
