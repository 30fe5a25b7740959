"""The Pythons of this machine: an image gets the one that its definition asks for, where there is one.

A function of the SDKs, a pickle and a compiled package want the very version that they were made with.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OLDEST = (3, 10)
"""A sandbox's own programs need it; an image that asks for an older one gets the emulator's."""
_TELL = (
    "import ensurepip, json, ssl, sys, venv; print(json.dumps([sys._base_executable, sys.base_prefix, sys.version]))"
)
_INSTALLED = (".pyenv/versions/{}.*/bin/python{}", ".local/share/uv/python/cpython-{}.*/bin/python{}")
"""Where pyenv and uv keep those that are on no PATH."""
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Interpreter:
    python: Path
    prefix: Path
    """The folder that must be visible where it runs."""
    version: str
    """As ``sys.version`` has it."""

    @property
    def short(self) -> str:
        """``3.11``"""
        return ".".join(self.version.split(".")[:2])


def own() -> Interpreter:
    """The emulator's."""
    return Interpreter(Path(sys.executable).resolve(), Path(sys.base_prefix), sys.version)


def chosen(version: str) -> Interpreter:
    """The one of ``version``, or else the emulator's own."""
    return find(version) or own()


@cache
def find(version: str) -> Interpreter | None:
    """The Python of ``version`` (``3.10``) that this machine has; None where it has none that can run jobs."""
    if version == own().short:
        return own()
    if not re.fullmatch(r"3\.\d+", version) or tuple(map(int, version.split("."))) < OLDEST:
        return None
    return next((found for path in _candidates(version) if (found := _asked(path, version))), None)


def _candidates(version: str) -> Iterator[str]:
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    for pattern in _INSTALLED:
        yield from map(str, sorted(Path.home().glob(pattern.format(version, version)), reverse=True))


def _asked(python: str, version: str) -> Interpreter | None:
    """What it says of itself; None where it is another version, or cannot make environments."""
    try:
        done = subprocess.run([python, "-I", "-c", _TELL], capture_output=True, text=True, timeout=_SECONDS)
        base, prefix, full = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    found = Interpreter(Path(base).resolve(), Path(prefix), full)
    return found if found.short == version else None
