"""``environment.yml``: what ``conda env create`` and ``conda env update`` read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import CondaError


@dataclass
class EnvironmentFile:
    name: str
    specs: list[str] = field(default_factory=list)
    """Conda's; ``channels`` mean nothing here."""
    pip: list[str] = field(default_factory=list)
    """Lines of a requirements file."""
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> EnvironmentFile:
        """
        Raises:
            CondaError: there is no such file, or it is not of that form.
        """
        document = _document(path)
        dependencies = document.get("dependencies") or []
        if not isinstance(dependencies, list):
            raise CondaError("EnvironmentFileNotValid", f"{path}: dependencies must be a list")
        pip = [line for each in dependencies if isinstance(each, dict) for line in each.get("pip") or []]
        variables = {str(name): str(value) for name, value in (document.get("variables") or {}).items()}
        specs = [str(each) for each in dependencies if not isinstance(each, dict)]
        return cls(str(document.get("name") or ""), specs, [str(line) for line in pip], variables)


def _document(path: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CondaError("EnvironmentFileNotFound", f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CondaError("EnvironmentFileNotValid", f"{path} is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise CondaError("EnvironmentFileNotValid", f"{path} has no dependencies")
    return document
