"""Build the virtual environment of an image: once for each set of requirements, whoever asks, whatever interrupts."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emulator.images.commands import run_telling
from emulator.images.errors import BuildError
from emulator.images.interpreters import Interpreter, own

Progress = Callable[[str], None]

_COMPLETE = "complete.json"
_INCLUDE = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]+(\S+)")
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_MODULES = {".py", ".so"}
_PIP_OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")


@dataclass(frozen=True, slots=True)
class Install:
    """One ``pip install``; several run one after the other, as the ``RUN``s of a Dockerfile do."""

    files: list[Path] = field(default_factory=list)
    specifiers: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> list[str]:
        return [*self.options, *(word for file in self.files for word in ("-r", str(file))), *self.specifiers]


class Virtualenv:
    """The environment for some requirements, at a folder named after them; the folder never changes once complete."""

    def __init__(self, cache_dir: Path, installs: list[Install], interpreter: Interpreter | None = None) -> None:
        """``interpreter``: the emulator's own unless given."""
        self._installs = installs
        self.interpreter = interpreter or own()
        self.digest = _digest(installs, self.interpreter)
        self.folder = cache_dir.absolute() / "environments" / self.digest[:20]

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def ensure(self, progress: Progress) -> None:
        """Build it unless it is there.

        Raises:
            BuildError: pip cannot install the requirements; the message ends with what pip said.
        """
        if self._is_complete():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self._lock(progress):
            if not self._is_complete():  # the other builder may have finished it
                self._build(progress)

    def modules(self) -> list[str]:
        """The top-level modules of the requirements themselves."""
        modules: list[str] = json.loads((self.folder / _COMPLETE).read_text())["modules"]
        return modules

    def _is_complete(self) -> bool:
        return (self.folder / _COMPLETE).is_file()

    @contextmanager
    def _lock(self, progress: Progress) -> Iterator[None]:
        with (self.folder.parent / f"{self.folder.name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("waiting for another process that is building this environment")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _build(self, progress: Progress) -> None:
        """A folder without its last file is the remainder of a build that was killed: it is made anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        base = self.interpreter.python
        progress(f"making a virtual environment with {base}")
        _run([str(base), "-m", "venv", str(self.folder)], progress)
        for install in self._installs:
            _run([str(self.python), "-m", "pip", "install", *_PIP_OPTIONS, *install.arguments], progress)
        progress("compiling")
        subprocess.run([self.python, "-m", "compileall", "-q", "-j", "2", self.folder / "lib"], capture_output=True)
        temporary = self.folder / f"{_COMPLETE}.new"
        temporary.write_text(json.dumps({"modules": self._find_modules()}))
        temporary.replace(self.folder / _COMPLETE)

    def _find_modules(self) -> list[str]:
        names = {_canonical(name) for name in self._requirement_names()}
        site = next((self.folder / "lib").glob("python*/site-packages"))
        found: dict[str, None] = {}
        for distribution in importlib.metadata.distributions(path=[str(site)]):
            if _canonical(distribution.metadata["Name"]) in names:
                found |= dict.fromkeys(_top_level(distribution))
        return sorted(found)

    def _requirement_names(self) -> Iterator[str]:
        for install in self._installs:
            lines = [line for file in install.files for line in file.read_text().splitlines()]
            for line in [*lines, *install.specifiers]:
                if match := _NAME.match(line):
                    yield match[1]


def _digest(installs: list[Install], interpreter: Interpreter) -> str:
    """Of all that decides what gets installed, and of the interpreter it is installed for."""
    state = hashlib.sha256()
    for text in (interpreter.version, platform.machine(), str(interpreter.prefix)):
        state.update(text.encode() + b"\0")
    for install in installs:
        for text in (*install.options, *install.specifiers):
            state.update(text.encode() + b"\0")
        for file in install.files:
            for content in _contents(file):
                state.update(content + b"\0")
    return state.hexdigest()


def _contents(file: Path, above: frozenset[Path] = frozenset()) -> Iterator[bytes]:
    """The file's and those of the files it includes; of files that include each other pip will complain."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BuildError(f"cannot read the requirements {file}: {error.strerror}") from error
    yield content
    for line in content.decode(errors="replace").splitlines():
        match = _INCLUDE.match(line)
        if match and (included := (file.parent / match[1]).resolve()) not in above:
            yield from _contents(included, above | {file})


def _run(command: list[str], progress: Progress) -> None:
    """Run a command that is to know nothing of the emulator's own environment."""
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV" and not name.startswith("PYTHON")}
    code, last = run_telling(command, progress, env)
    if code != 0:
        raise BuildError(f"{' '.join(command)} ended with exit code {code}:\n{last}")


def _top_level(distribution: importlib.metadata.Distribution) -> list[str]:
    """What can be imported of a distribution: as it says itself, or by the look of its files."""
    if text := distribution.read_text("top_level.txt"):
        names = text.split()
    else:
        files = distribution.files or []
        names = [path.parts[0] for path in files if len(path.parts) == 2 and path.name == "__init__.py"]
        names += [path.name.partition(".")[0] for path in files if len(path.parts) == 1 and path.suffix in _MODULES]
    return [name for name in names if name.isidentifier() and not name.startswith("_")]


def _canonical(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
