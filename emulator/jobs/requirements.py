"""What jobs install with pip, installed once: a layer for each set of requirements and environment.

A job's pip (``emulator.images.job_pip``) asks for its requirements with a key that only this job has. They are
installed in a sandbox of their own, with the machine's network, so what a job does cannot change what another gets; a
server, whose network has nothing but the emulator, gets them all the same, and an isolated job knows not where to ask.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import secrets
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.images import Environment
from emulator.images.job_pip import CONDA_ENVIRONMENTS, RECORD
from emulator.launchers.launcher import Launch, Launcher
from emulator.launchers.namespaces import NamespaceLauncher

Say = Callable[[str], None]
_LAYER = "layer.tar"
_LOG = "pip.log"
_PINNED = re.compile(r"^-|===?[^,*]+$|==[^,*;]+;|\s--hash=| @ ")
_VARIABLE = re.compile(r"^PIP_[A-Z_]+$")
_PREFIX = re.compile(rf"{CONDA_ENVIRONMENTS}\w[\w.-]*")
_IN_NEW = 'conda create --quiet --prefix "$0" && exec "$0/bin/python" "$@"'


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job asks for: options of ``pip install``, requirements, and pip's variables."""

    options: list[str]
    lines: list[str]
    variables: dict[str, str]
    prefix: str = ""
    """The new environment of conda that gets them; empty for the image's own."""

    @classmethod
    def read(cls, document: Any) -> Wanted:
        """
        Raises:
            ValueError: it is not of the form that ``job_pip`` sends.
        """
        try:
            options, lines = list(document["options"]), list(document["requirements"])
            variables = {name: text for name, text in document["environment"].items() if _VARIABLE.match(name)}
            prefix = str(document.get("prefix", ""))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("options, requirements and environment are needed") from error
        if not all(isinstance(text, str) and "\n" not in text for text in [*options, *lines, *variables.values()]):
            raise ValueError("options, requirements and environment must be texts of one line")
        if prefix and not _PREFIX.fullmatch(prefix):
            raise ValueError(f"prefix must be a folder of {CONDA_ENVIRONMENTS}")
        return cls(options, lines, variables, prefix)

    def command(self, python: Path, requirements: str) -> list[str]:
        """What installs them from the file ``requirements``."""
        pip = ["-m", "pip", "install", *self.options, "-r", requirements]
        return ["/bin/sh", "-c", _IN_NEW, self.prefix, *pip] if self.prefix else [str(python), *pip]


class LayerFailed(Exception):
    """pip could not install the requirements; what it said has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(f"pip ended with exit code {code}")
        self.code = code


class RequirementLayers:
    """Thread-safe."""

    def __init__(self, launcher: Launcher, root: Path, cache_dir: Path, memory_limit_bytes: int) -> None:
        """``root``: where sandboxes have their folders."""
        self._launcher = launcher
        self._root = root
        self._folder = cache_dir.absolute() / "requirements"
        self._memory_limit = memory_limit_bytes
        self._environments: dict[str, Environment] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, environment: Environment) -> Iterator[str]:
        """A key by which a job of this environment may ask while it runs; empty where its pip is the image's own."""
        if not isinstance(self._launcher, NamespaceLauncher):
            yield ""
            return
        key = secrets.token_hex(16)
        self._environments[key] = environment
        try:
            yield key
        finally:
            del self._environments[key]

    def knows(self, key: str) -> bool:
        return key in self._environments

    def layer(self, key: str, wanted: Wanted, say: Say) -> str:
        """The name of the layer for what a job asks for, installed unless it was before.

        Raises:
            LayerFailed: pip cannot install it, or the job has gone.
        """
        environment = self._environments.get(key)
        if environment is None:
            raise LayerFailed(1)
        name = _digest(environment, wanted)
        with self._lock_of(name):
            folder = self._folder / name
            if (folder / _LAYER).is_file():
                installed = (folder / _LOG).read_text().strip()
                say(f"requirements as an earlier job had them installed: {installed or 'nothing was missing'}")
            else:
                self._install(environment, wanted, folder, say)
        return name

    def path(self, name: str) -> Path:
        """The archive of a layer that ``layer`` named.

        Raises:
            FileNotFoundError: there is none.
        """
        path = self._folder / name / _LAYER
        if not re.fullmatch(r"[0-9a-f]{32}", name) or not path.is_file():
            raise FileNotFoundError(name)
        return path

    @contextmanager
    def _lock_of(self, name: str) -> Iterator[None]:
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            yield

    def _install(self, environment: Environment, wanted: Wanted, folder: Path, say: Say) -> None:
        directory = self._root / f"pip-{secrets.token_hex(8)}"
        ml = directory / "ml"
        ml.mkdir(parents=True)
        (ml / "requirements.txt").write_text("".join(f"{line}\n" for line in wanted.lines))
        said = _Lines(say)
        try:
            launch = Launch(
                job_id=directory.name,
                directory=directory,
                environment=environment,
                command=wanted.command(environment.python, "/opt/ml/requirements.txt"),
                env={**environment.env, **wanted.variables, RECORD: f"/opt/ml/{_LAYER}"},
                hostname="pip",
                hosts=[],
                mounts=[],
                network=True,
                memory_limit_bytes=self._memory_limit,
                output=said.write,
            )
            ended = self._launcher.launch(launch).wait()
            if ended is None or ended.code or not (ml / _LAYER).is_file():
                raise LayerFailed(ended.code if ended and ended.code else 1)
            (ml / _LOG).write_text(said.installed)
            self._keep(ml, folder)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _keep(self, ml: Path, folder: Path) -> None:
        """Aside first, then renamed: another emulator may keep the same layer in the same cache."""
        aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
        aside.mkdir(parents=True)
        for name in (_LAYER, _LOG):
            shutil.move(ml / name, aside / name)
        try:
            aside.rename(folder)
        except OSError:
            shutil.rmtree(aside)


class _Lines:
    """Bytes as they come, said line by line."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._held = b""
        self.installed = ""
        """What pip's last line about it names."""

    def write(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            self._say(text)
            if text.startswith("Successfully installed"):
                self.installed = text.removeprefix("Successfully installed").strip()


def _digest(environment: Environment, wanted: Wanted) -> str:
    """Changes with everything that decides what is installed; every day where a release is not pinned."""
    virtualenv = environment.python.parent.parent.name
    pinned = all(_PINNED.search(line) for line in wanted.lines)
    day = "" if pinned else datetime.datetime.now(datetime.UTC).date().isoformat()
    variables = sorted(wanted.variables.items())
    state = json.dumps([sys.version, virtualenv, wanted.prefix, wanted.options, wanted.lines, variables, day])
    return hashlib.sha256(state.encode()).hexdigest()[:32]
