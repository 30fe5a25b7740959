"""The container as SageMaker sets it up: folders and configuration below /opt/ml, variables named SAGEMAKER_*."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .errors import UserError


def variable(name: str, default: str = "") -> str:
    """A variable of the environment; an empty one means that it is not set."""
    return os.environ.get(name) or default


@dataclass(frozen=True)
class Container:
    """One job's or one server's folders; ``SAGEMAKER_BASE_DIR`` moves them, as in AWS's own images."""

    base: Path = field(default_factory=lambda: Path(variable("SAGEMAKER_BASE_DIR", "/opt/ml")))

    @property
    def code(self) -> Path:
        return self.base / "code"

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def input(self) -> Path:
        return self.base / "input"

    @property
    def output(self) -> Path:
        return self.base / "output"

    def channel(self, name: str) -> Path:
        return self.input / "data" / name

    @cached_property
    def hyperparameters(self) -> dict[str, str]:
        """As the request had them: every value a string."""
        return self._config("hyperparameters")

    @cached_property
    def channels(self) -> dict[str, dict[str, Any]]:
        """``inputdataconfig.json``: a channel's name to its content type and modes."""
        return self._config("inputdataconfig")

    @cached_property
    def resources(self) -> dict[str, Any]:
        return self._config("resourceconfig")

    @property
    def checkpoint_folder(self) -> Path | None:
        """Where checkpoints go, if the job has any."""
        config = self._config("checkpointconfig")
        return Path(config["LocalPath"]) if config.get("LocalPath") else None

    def _config(self, name: str) -> dict[str, Any]:
        path = self.input / "config" / f"{name}.json"
        if not path.is_file():
            return {}
        try:
            document = json.loads(path.read_text())
        except ValueError as error:
            raise UserError(f"{path} is not JSON: {error}") from error
        return document if isinstance(document, dict) else {}

    def report(self, name: str, text: str) -> None:
        """Write ``/opt/ml/output/failure`` or ``success``, where SageMaker looks for it."""
        self.output.mkdir(parents=True, exist_ok=True)
        (self.output / name).write_text(text)


def decoded(value: str) -> Any:
    """A hyperparameter's value: JSON within the string as SDK v2 sends it, or bare."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value
