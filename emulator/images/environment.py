"""What a job needs of an image: the installed packages, and what its Dockerfile says of starting it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    name: str
    """Changes with anything that jobs of the image could notice: requirements, copied files, variables."""
    python: Path
    bin: Path
    roots: list[Path] = field(default_factory=list)
    """Folders that must be visible in the sandbox: the virtual environment, the base interpreter's prefix."""
    preload: list[str] = field(default_factory=list)
    """Modules that a warm process imports ahead of the jobs."""
    env: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)
    workdir: str = "/"
    files: list[tuple[Path, str]] = field(default_factory=list)
    """What ``COPY`` put into the image: host path, container path."""
    image: str = ""
    """By which name a container engine knows it; empty where there is only a Python environment."""
    shell: list[str] = field(default_factory=list)
    """In a container: the words before a command that join its two outputs; none where the image has no shell."""
