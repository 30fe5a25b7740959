"""Where a deployed definition came from: commit and hash, in its ``Metadata``.

The members travel with the definition, so every version of the pipeline has its own, and they are written in the same
request. Two definitions that differ only in them are the same definition.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMIT = "pipelines:commit"
HASH = "pipelines:definition"
CI_VARIABLES = ("CODEBUILD_RESOLVED_SOURCE_VERSION", "GITHUB_SHA")
HASH_LENGTH = 16


@dataclass(frozen=True)
class Record:
    """The commit (``+`` at its end: with changes that are not committed) and the hash of a definition."""

    commit: str
    digest: str


def stamped(definition: dict[str, Any], root: Path) -> dict[str, Any]:
    """The definition with its record."""
    plain = unstamped(definition)
    record = {COMMIT: current_commit(root), HASH: digest(plain)}
    return plain | {"Metadata": plain["Metadata"] | {key: text for key, text in record.items() if text}}


def unstamped(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition without its record."""
    metadata = definition.get("Metadata") or {}
    return definition | {"Metadata": {key: text for key, text in metadata.items() if key not in (COMMIT, HASH)}}


def read_record(definition: dict[str, Any]) -> Record:
    """The record of a definition; its hash is computed, as someone else may have changed what it was written for."""
    return Record((definition.get("Metadata") or {}).get(COMMIT, ""), digest(unstamped(definition)))


def digest(definition: dict[str, Any]) -> str:
    """Short hash of a definition's content, whatever its layout."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def current_commit(root: Path) -> str:
    """The commit of the checkout; empty where it is none of git's."""
    for name in CI_VARIABLES:
        if commit := os.environ.get(name):
            return commit
    commit = git(root, "rev-parse", "HEAD")
    return f"{commit}+" if commit and git(root, "status", "--porcelain") else commit


def git(root: Path, *arguments: str) -> str:
    """What git prints; empty where there is no git or no repository."""
    try:
        process = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""
