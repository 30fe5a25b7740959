"""Environments as folders: Python's own, with the image's pip in them, under ``/opt/conda/envs``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .errors import CondaError

ROOT = Path("/opt/conda/envs")
BASE = "base"
PYTHON = "EMULATOR_CONDA_PYTHON"
"""The image's own interpreter, for a ``conda`` that is called inside an environment."""
_PIP = '#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n'
_VARIABLES = Path("conda-meta", "variables.json")


def prefix_of(name: str, prefix: str) -> Path:
    """The folder that ``-n`` or ``-p`` means; with neither, the environment that is active."""
    if prefix:
        return Path(prefix).absolute()
    if not name:
        return Path(os.environ.get("CONDA_PREFIX") or sys.prefix)
    return Path(sys.prefix) if name == BASE else ROOT / name


def existing(prefix: Path) -> Path:
    """
    Raises:
        CondaError: there is no environment in the folder.
    """
    if not _python(prefix).exists():
        names = ", ".join([BASE, *(path.name for path in known())])
        raise CondaError(
            "EnvironmentLocationNotFound", f"Not a conda environment: {prefix}. This job has: {names}. An image's own"
            " environments are not known here, but for base: name one in dependencies, or none at all.",
        )  # fmt: skip
    return prefix


def known() -> list[Path]:
    return sorted(path.parent for path in ROOT.glob("*/pyvenv.cfg"))


class _Builder(venv.EnvBuilder):
    """Links to the base interpreter, never to the image's, which in a sandbox is a program in front of it."""

    def ensure_directories(self, env_dir: Any) -> SimpleNamespace:
        context = super().ensure_directories(env_dir)
        base = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))
        context.executable, context.python_dir, context.python_exe = str(base), str(base.parent), base.name
        return context


def create(prefix: Path) -> None:
    """
    Raises:
        CondaError: there is one.
    """
    if _python(prefix).exists():
        raise CondaError("CondaValueError", f"prefix already exists: {prefix}")
    _Builder(symlinks=True).create(prefix)
    site = next((prefix / "lib").glob("python*/site-packages"))
    (site / "image-pip.pth").write_text(f"{_pip()}\n")
    for name in ("pip", "pip3"):
        (prefix / "bin" / name).write_text(_PIP)
        (prefix / "bin" / name).chmod(0o755)
    (prefix / _VARIABLES).parent.mkdir()


def _pip() -> Path:
    """A folder with the image's pip and nothing else of its packages: a thousand files that need not be copied."""
    folder = ROOT.parent / "pip"
    folder.mkdir(parents=True, exist_ok=True)
    packages = Path(sysconfig.get_path("purelib"))
    for source in [packages / "pip", *packages.glob("pip-*.dist-info")]:
        target = folder / source.name
        if not target.is_symlink():
            target.symlink_to(source)
    return folder


def install(prefix: Path, requirements: Sequence[str], folder: Path) -> None:
    """Have pip install them; what is relative in a line is relative to ``folder``, as conda has it.

    Raises:
        CondaError: pip cannot; it has said why.
    """
    if not requirements:
        return
    file = folder / f"condaenv.{os.getpid()}.requirements.txt"
    file.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    try:
        done = subprocess.run([_python(prefix), "-m", "pip", "install", "-r", file], env=variables_of(prefix))
    finally:
        file.unlink()
    if done.returncode:
        raise CondaError("CondaEnvException", f"Pip failed: {', '.join(requirements)}")


def remember(prefix: Path, variables: dict[str, str]) -> None:
    """``variables`` of its file, which it sets when it is active."""
    if variables:
        (prefix / _VARIABLES).parent.mkdir(exist_ok=True)
        (prefix / _VARIABLES).write_text(json.dumps(variables))


def variables_of(prefix: Path) -> dict[str, str]:
    """The process's variables as they are where the environment is active."""
    own = json.loads((prefix / _VARIABLES).read_text()) if (prefix / _VARIABLES).exists() else {}
    base = os.environ.get(PYTHON) or sys.executable
    name = BASE if prefix == Path(sys.prefix) else prefix.name
    return {
        **os.environ,
        **own,
        PYTHON: base,
        "CONDA_PREFIX": str(prefix),
        "CONDA_DEFAULT_ENV": name,
        "PATH": f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def _python(prefix: Path) -> Path:
    return prefix / "bin" / "python"
