"""Paths of the container that lie elsewhere on the host, replaced wherever a job may read them."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TEXT_SUFFIXES = {".sh", ".py", ".json", ".txt", ".yaml", ".yml", ".cfg", ".toml", ".env"}
_TEXT_BYTES = 1 << 20


class Redirection:
    """Replaces container paths by host paths in texts; the longest path that fits wins."""

    def __init__(self, paths: dict[str, Path]) -> None:
        """``paths``: container path to host path."""
        self._paths = {target.rstrip("/"): str(place) for target, place in paths.items() if target.rstrip("/")}
        longest_first = sorted(self._paths, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<![\w./-])({'|'.join(map(re.escape, longest_first))})(?![\w.-])")

    def text(self, text: str) -> str:
        return self._pattern.sub(lambda match: self._paths[match[1]], text) if self._paths else text

    def files(self, folder: Path) -> None:
        """Rewrite the small text files of ``folder``; it must be the job's own copy."""
        for parent, _, names in os.walk(folder):
            for path in (Path(parent) / name for name in names):
                if path.suffix in _TEXT_SUFFIXES and path.is_file() and path.stat().st_size <= _TEXT_BYTES:
                    self._rewrite(path)

    def _rewrite(self, path: Path) -> None:
        before = path.read_bytes().decode("utf-8", "surrogateescape")
        after = self.text(before)
        if after != before:
            path.write_bytes(after.encode("utf-8", "surrogateescape"))
