"""What checks look at: the definition as it was built, and the sources it was built from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines import definition as definitions
from pipelines.catalog import PipelineSource
from pipelines.environment import Environment
from pipelines.fingerprint import is_ignored

BRANCHES = tuple(definitions.NESTED)


@dataclass(frozen=True)
class Reference:
    """A ``{"Get": path}`` somewhere in a step."""

    step: str
    field: str
    path: str

    @property
    def parts(self) -> list[str]:
        return self.path.split(".", 2)


@dataclass(frozen=True)
class Module:
    """A parsed source file; ``path`` relative to the checkout."""

    path: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Subject:
    """A pipeline under check; ``definition`` is empty where only the sources are checked."""

    source: PipelineSource
    environment: Environment
    definition: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    folder: Path = Path()
    """The build's: definition.json, assets/."""

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def root(self) -> Path:
        return self.environment.root

    @property
    def is_built(self) -> bool:
        return bool(self.definition)

    @cached_property
    def parameters(self) -> list[definitions.Parameter]:
        return definitions.parameters(self.definition)

    @cached_property
    def types(self) -> dict[str, str]:
        """Type by name of each parameter."""
        return {parameter.name: parameter.type for parameter in self.parameters}

    @cached_property
    def bodies(self) -> list[dict[str, Any]]:
        """Every step of the definition, also those in branches and in loops, as written."""
        return list(definitions.bodies(self.definition.get("Steps") or []))

    @cached_property
    def steps(self) -> dict[str, dict[str, Any]]:
        return {body["Name"]: body for body in self.bodies}

    @cached_property
    def references(self) -> list[Reference]:
        """Every reference in the steps."""
        return [
            Reference(body["Name"], path, value)
            for body in self.bodies
            for path, value in nodes(own_members(body))
            if isinstance(value, str) and path.endswith("Get")
        ]

    def of_type(self, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and arguments of the steps of some types."""
        for body in self.bodies:
            if body["Type"] in types:
                yield body["Name"], body.get("Arguments") or {}

    def where(self, step: str = "") -> str:
        """``file:line`` of the call that made a step; the pipeline's module if that is not known."""
        return str((self.manifest.get("steps") or {}).get(step) or f"{self._relative(self._entry)}:1")

    def where_text(self, text: str) -> str:
        """``file:line`` of the first string literal ``text`` in the sources."""
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Constant) and node.value == text:
                    return module.at(node)
        return self.where()

    def asset_text(self, key: str) -> str:
        """The content of an uploaded text file."""
        return (self.folder / key.removeprefix(f"{self.name}/")).read_text(errors="replace")

    @cached_property
    def modules(self) -> list[Module]:
        """The pipeline's module and the modules of the checkout that it imports, first things first."""
        found: dict[Path, Module] = {}
        waiting = [self._entry]
        while waiting:
            path = waiting.pop(0)
            if path in found or not path.is_file():
                continue
            try:
                found[path] = Module(self._relative(path), ast.parse(path.read_bytes()))
            except SyntaxError:
                continue  # the build says so, with its place
            waiting += [self.root.joinpath(*name.split(".")).with_suffix(".py") for name in _imports(found[path].tree)]
        return list(found.values())

    @cached_property
    def scripts(self) -> list[Module]:
        """The Python files beside imported ``step.py`` files for containers, as far as they parse."""
        folders = {(self.root / module.path).parent for module in self.modules if module.path.endswith("/step.py")}
        files = sorted({path for folder in folders for path in folder.rglob("*.py") if path.name not in _NOT_SCRIPTS})
        parsed: list[Module] = []
        for path in files:
            if not any(is_ignored(part) for part in path.parts):
                try:
                    parsed.append(Module(self._relative(path), ast.parse(path.read_bytes())))
                except SyntaxError:
                    continue  # PL106 says so
        return parsed

    @property
    def _entry(self) -> Path:
        return self.source.folder / "pipeline.py"

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


_NOT_SCRIPTS = ("step.py", "__init__.py")


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a document with its path (``a.b[0]``), containers before what they contain."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from nodes(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from nodes(item, f"{path}[{number}]")


def own_members(body: dict[str, Any]) -> dict[str, Any]:
    """A step without the steps inside it."""
    arguments = {key: value for key, value in (body.get("Arguments") or {}).items() if key not in BRANCHES}
    return body | {"Arguments": arguments}


def parameter_of(value: Any) -> str | None:
    """Name of the parameter that a value is, as in ``{"Get": "Parameters.X"}``."""
    path = value.get("Get") if isinstance(value, dict) else None
    return path.removeprefix("Parameters.") if isinstance(path, str) and path.startswith("Parameters.") else None


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("steps.") or (name.startswith("pipelines.") and name.count(".") > 1):
                yield name
