"""Content hashes of files and folders: the same content gives the same hash on every machine and checkout."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

IGNORED_NAMES = frozenset(
    {"__pycache__", ".DS_Store", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints"}
)
IGNORED_SUFFIXES = (".pyc", ".pyo", ".swp", "~")


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this base name is a by-product that neither hashes nor uploads include."""
    return name in IGNORED_NAMES or name.endswith(IGNORED_SUFFIXES)


def source_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """``(relative POSIX path, path)`` of every file below ``folder`` that is source, in order of the relative path."""
    found: list[tuple[str, Path]] = []
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not is_ignored(name)]
        for name in files:
            if not is_ignored(name):
                path = Path(parent, name)
                found.append((path.relative_to(folder).as_posix(), path))
    return iter(sorted(found))


def hash_contents(contents: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents, in order of the names; hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(f"{name}\0{hashlib.sha256(contents[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def hash_folder(folder: Path) -> str:
    """SHA-256 over the source files of a folder: their relative paths, contents and executable bits."""
    return hash_files(source_files(folder))


def hash_files(files: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 over named files, as :func:`hash_folder` takes it."""
    digest = hashlib.sha256()
    for name, path in files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        executable = "x" if os.access(path, os.X_OK) else "-"
        digest.update(f"{name}\0{executable}\0{content}\n".encode())
    return digest.hexdigest()
