"""Which image a training job of its own runs: of a framework, of the built-in algorithm, or the user's."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from pipelines.environment import Environment
from pipelines.errors import UsageError, suggest

FRAMEWORKS = {
    "pytorch": frozenset({"torch", "torchvision", "transformers", "lightning"}),
    "tensorflow": frozenset({"tensorflow", "keras"}),
    "xgboost": frozenset({"xgboost"}),
    "sklearn": frozenset({"sklearn"}),
}
"""The SDK's names, and the modules by which a script shows that it is written for one; the first that fits."""
DEFAULT_FRAMEWORK = "sklearn"
"""Its image has pandas and NumPy, which most scripts without a framework want."""
ALGORITHMS: tuple[str, ...] = ("xgboost",)
_RELEASE = re.compile(r"\d+(\.\d+)*(-\d+)?")


def guess_framework(script: Path) -> str:
    """The framework that a script imports.

    Raises:
        UsageError: it is not a Python program.
    """
    try:
        tree = ast.parse(script.read_bytes(), str(script))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{script} is no Python program ({error}); name its image: --framework or --image") from error
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module.partition(".")[0])
    return next((name for name, modules in FRAMEWORKS.items() if modules & imported), DEFAULT_FRAMEWORK)


def own_image(text: str, environment: Environment) -> str:
    """The URI of an image of the user's: a URI as it is, or the name of a folder of ``containers/``.

    Raises:
        ContainerNotFound: there is no such folder.
    """
    return text if "/" in text or ":" in text else environment.image(text)


def aws_image(text: str, known: tuple[str, ...], region: str, instance_type: str) -> str:
    """The URI of AWS's image for ``NAME`` or ``NAME:VERSION``; without a version the SDK's latest.

    The table is the SageMaker SDK's, which takes seconds to import.

    Raises:
        UsageError: AWS has no such image.
    """
    name, _, version = text.partition(":")
    if name not in known:
        raise UsageError(f"There is no image of AWS's for {name!r}{suggest(name, known)}")
    from sagemaker.core import image_uris

    releases = _releases(image_uris.config_for_framework(name))
    version = version or [release for release in releases if _RELEASE.fullmatch(release)][-1]
    languages = releases.get(version, {}).get("py_versions")
    try:
        uri: str = image_uris.retrieve(
            name,
            region,
            version,
            py_version=languages[-1] if languages else None,
            instance_type=instance_type,
            image_scope="training",
        )
    except ValueError as error:
        raise UsageError(f"{text}: {error}") from error
    return uri


def _releases(config: dict[str, Any]) -> dict[str, Any]:
    versions: dict[str, Any] = config.get("training", config)["versions"]
    return versions
