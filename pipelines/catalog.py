"""Which pipelines a checkout has: the folders of ``pipelines/`` with a ``pipeline.py``."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import PipelineNotFound, UsageError

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
"""Pattern of a pipeline's name (API shape PipelineName)."""


@dataclass(frozen=True)
class PipelineSource:
    """The folder that a pipeline is built from. Its name is that of the folder, with ``-`` for ``_``."""

    name: str
    folder: Path

    @property
    def module(self) -> str:
        """Dotted name of the module that has ``build(environment)``."""
        return f"pipelines.{self.folder.name}.pipeline"

    @property
    def summary(self) -> str:
        """First line of the module's docstring; empty if there is none or the module does not parse."""
        try:
            docstring = ast.get_docstring(ast.parse((self.folder / "pipeline.py").read_bytes()))
        except SyntaxError:
            return ""
        return docstring.splitlines()[0] if docstring else ""


def list_pipelines(root: Path) -> list[PipelineSource]:
    """Every pipeline of a checkout, by name."""
    folders = (path.parent for path in (root / "pipelines").glob("*/pipeline.py"))
    return sorted((PipelineSource(folder.name.replace("_", "-"), folder) for folder in folders), key=lambda p: p.name)


def find_pipeline(root: Path, name: str) -> PipelineSource:
    """The pipeline ``name``.

    Raises:
        PipelineNotFound: there is none; the message names the known ones and the nearest.
        UsageError: its folder's name cannot be the name of a pipeline.
    """
    known = {pipeline.name: pipeline for pipeline in list_pipelines(root)}
    if name not in known:
        raise PipelineNotFound(name, known)
    if not NAME.fullmatch(name):
        raise UsageError(
            f"pipelines/{known[name].folder.name}: a pipeline cannot be named {name!r} (letters, digits, -)"
        )
    return known[name]
