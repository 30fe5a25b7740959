"""An environment of packages that the emulator itself runs with: made by linking, in a second, without an index.

Lambda's Python runtimes have boto3 and nothing else, and the emulator has boto3 in exactly the version of its lock.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import uuid
from pathlib import Path

from emulator.images.environment import Environment
from emulator.images.errors import BuildError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def own_environment(cache_dir: Path, packages: tuple[str, ...]) -> Environment:
    """The emulator's interpreter with ``packages`` and what they need, at the emulator's own versions.

    Raises:
        BuildError: the environment cannot be made.
    """
    distributions = _closure(packages)
    folder = cache_dir.absolute() / "environments" / f"own-{_digest(distributions)}"
    if not (folder / "pyvenv.cfg").is_file():
        _build(folder, distributions)
    return Environment(
        name=folder.name,
        python=folder / "bin" / "python",
        bin=folder / "bin",
        roots=[folder, Path(sys.base_prefix)],
        preload=list(packages),
    )


def _closure(packages: tuple[str, ...]) -> list[importlib.metadata.Distribution]:
    found: dict[str, importlib.metadata.Distribution] = {}
    wanted = list(packages)
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # needed on other platforms only
        for requirement in found[name].requires or []:
            match = _NAME.match(requirement)
            if match and "extra ==" not in requirement:
                wanted.append(match[0])
    return [found[name] for name in sorted(found)]


def _digest(distributions: list[importlib.metadata.Distribution]) -> str:
    names = [f"{each.metadata['Name']}=={each.version}" for each in distributions]
    state = "\0".join([sys.version, platform.machine(), sys.base_prefix, *names])
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def _build(folder: Path, distributions: list[importlib.metadata.Distribution]) -> None:
    """Aside first, then renamed: two builders do not disturb each other, and a killed one leaves nothing in use."""
    aside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    base = Path(sys.executable).resolve()
    try:
        subprocess.run([base, "-m", "venv", "--without-pip", aside], check=True, capture_output=True, text=True)
        site = Path(sysconfig.get_path("purelib", "venv", {"base": str(aside)}))
        for distribution in distributions:
            _link(distribution, site)
        aside.rename(folder)
    except subprocess.CalledProcessError as error:
        raise BuildError(f"Cannot make a virtual environment with {base}: {error.stderr or error}") from error
    except OSError as error:
        if not folder.is_dir():
            raise BuildError(f"Cannot make the environment {folder}: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _link(distribution: importlib.metadata.Distribution, site: Path) -> None:
    for file in distribution.files or []:
        source = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or not source.is_file():  # programs are not needed
            continue
        target = site / Path(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:  # another file system
            shutil.copy2(source, target)
