"""Read the part of the Dockerfile language that a Python environment can stand in for.

``FROM`` an image that has only Python or that is known here, ``ARG``, ``ENV``, ``LABEL``, ``WORKDIR``, ``COPY``,
``ADD`` of files, ``RUN pip install``, ``ENTRYPOINT``, ``CMD``, and what changes nothing for a job: ``EXPOSE``,
``USER``, ``HEALTHCHECK``, ``MAINTAINER``. Every other instruction is refused by name, file and line: without it the
image would be another than Docker's. Syntax after Docker's "Dockerfile reference".
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from emulator.images.errors import DockerfileError
from emulator.images.pip_command import PipCommandError, parse_pip_command
from emulator.images.virtualenv import Install

_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|[^'\"\\]+|['\"\\]")
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
_ARCHIVE = (".tar", ".gz", ".tgz", ".bz2", ".xz")
_PLAIN = {"python", "debian", "ubuntu", "buildpack-deps", "amazonlinux", "python-slim", "uv"}
"""Images that have nothing for a program in Python but Python, and system libraries that this machine has."""
_PYTHON = re.compile(r"(?:^|/)python:(3\.\d+)")
_FLAG = re.compile(r"^--([a-z]+)(?:=(\S*))?\s+")


@dataclass(frozen=True, slots=True)
class Copy:
    """A file or folder of the build context and where it is in the image."""

    source: Path
    target: str


@dataclass(slots=True)
class Dockerfile:
    """What the instructions of a Dockerfile amount to."""

    path: Path
    base: str = ""
    python: str = ""
    """The version that FROM asks for, ``3.10``; empty where any will do."""
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    copies: list[Copy] = field(default_factory=list)
    installs: list[Install] = field(default_factory=list)
    """Every ``pip install``, in order."""
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)

    @property
    def context(self) -> Path:
        return self.path.parent

    def host_path(self, container_path: str) -> Path | None:
        """The file of the build context that lies at ``container_path`` in the image."""
        path = posixpath.normpath(posixpath.join(self.workdir, container_path))
        for copy in reversed(self.copies):
            if path == copy.target:
                return copy.source
            if path.startswith(copy.target.rstrip("/") + "/"):
                candidate = copy.source / path[len(copy.target.rstrip("/")) + 1 :]
                if candidate.exists():
                    return candidate
        return None


Known = Callable[[str], "Dockerfile | None"]
"""The definition of the image that a FROM names, None if there is none."""


def read_dockerfile(path: Path, search_path: str, known: Known = lambda uri: None) -> Dockerfile:
    """Understand the Dockerfile at ``path``; ``search_path`` is the value of ``PATH`` in an image that has only Python.

    Raises:
        DockerfileError: it says something that is not understood; the message has the line.
    """
    return _Reader(path, search_path, known).read()


@dataclass(frozen=True, slots=True)
class _Instruction:
    line: int
    name: str
    text: str


class _Reader:
    def __init__(self, path: Path, search_path: str, known: Known) -> None:
        self._file = Dockerfile(path, env={"PATH": search_path})
        self._known = known
        self._arguments: dict[str, str] = {}
        self._own_cmd: list[str] = []
        self._instruction = _Instruction(0, "", "")

    def read(self) -> Dockerfile:
        handlers: dict[str, Callable[[str], None]] = {
            "FROM": self._from,
            "ARG": self._arg,
            "ENV": self._env,
            "LABEL": self._label,
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "ADD": self._add,
            "RUN": self._run,
            "ENTRYPOINT": self._entrypoint,
            "CMD": self._cmd,
            "EXPOSE": lambda _: None,  # every port of the sandbox can be reached
            "USER": lambda _: None,  # the sandbox has one user, who may do what a job needs
            "HEALTHCHECK": lambda _: None,  # SageMaker asks /ping
            "MAINTAINER": lambda _: None,
        }
        for instruction in _instructions(self._file.path):
            self._instruction = instruction
            if instruction.name not in handlers:
                self._refuse(f"{instruction.name} has no counterpart here; understood are {', '.join(handlers)}")
            handlers[instruction.name](instruction.text)
        if not self._file.base:
            raise DockerfileError(f"{self._file.path}: there is no FROM")
        return self._file

    def _refuse(self, why: str) -> NoReturn:
        raise DockerfileError(f"{self._file.path}, line {self._instruction.line}: {why}")

    def _from(self, text: str) -> None:
        if self._file.base:
            self._refuse("a second FROM (a build in several stages) has no counterpart here; write a single stage")
        while match := _FLAG.match(text):
            text = text[match.end() :]
        base = self._file.base = self._expand(text).split()[0]
        if asked := _PYTHON.search(base):
            self._file.python = asked[1]
        if inherited := self._known(base):
            self._inherit(inherited)
        elif base.partition("@")[0].rpartition("/")[2].partition(":")[0] not in _PLAIN:
            self._refuse(
                f"FROM {base}: what that image has besides Python is not known here; build on python and install the"
                " packages by pip, or run it as it is with EMULATOR_ISOLATION=podman or docker"
            )

    def _inherit(self, base: Dockerfile) -> None:
        file = self._file
        file.env, file.labels, file.workdir = dict(base.env), dict(base.labels), base.workdir
        file.python = base.python
        file.copies, file.installs = list(base.copies), list(base.installs)
        file.entrypoint, file.cmd = list(base.entrypoint), list(base.cmd)

    def _arg(self, text: str) -> None:
        """One that was given before FROM keeps its value where it is only named after it."""
        for name, value in self._pairs(text, value_needed=False):
            if value or name not in self._arguments:
                self._arguments[name] = value

    def _env(self, text: str) -> None:
        if "=" not in text.split()[0]:  # the old form: ENV NAME the rest of the line
            name, _, value = text.partition(" ")
            self._file.env[name] = self._expand(value.strip())
            return
        self._file.env.update(self._pairs(text))

    def _label(self, text: str) -> None:
        self._file.labels.update(self._pairs(text))

    def _workdir(self, text: str) -> None:
        path = _unquote(self._expand(text))
        self._file.workdir = posixpath.normpath(posixpath.join(self._file.workdir, path))

    def _copy(self, text: str) -> None:
        while match := _FLAG.match(text):
            if match[1] != "chown":
                self._refuse(f"COPY --{match[1]} has no counterpart here")
            text = text[match.end() :]  # the sandbox has one user
        words = _json_list(text) or shlex.split(self._expand(text))
        if len(words) < 2:
            self._refuse("COPY needs a source and a destination")
        *patterns, destination = words
        sources = [source for pattern in patterns for source in self._matches(pattern)]
        target = posixpath.normpath(posixpath.join(self._file.workdir, destination))
        into = destination.endswith(("/", ".")) or len(sources) > 1 or self._is_folder(target)
        for source in sources:
            whole = source.is_dir() or not into
            self._file.copies.append(Copy(source, target if whole else posixpath.join(target, source.name)))

    def _add(self, text: str) -> None:
        words = _json_list(text) or shlex.split(self._expand(text))
        for word in words[:-1]:
            if "://" in word or word.startswith("git@") or word.endswith(_ARCHIVE):
                self._refuse(f"ADD {word}: nothing is downloaded or unpacked here; COPY the files themselves")
        self._copy(text)

    def _matches(self, pattern: str) -> list[Path]:
        context = self._file.context.resolve()
        relative = posixpath.normpath(pattern.lstrip("/"))
        found = [context] if relative == "." else sorted(context.glob(relative))
        if not found:
            self._refuse(f"COPY {pattern}: there is no such file in {self._file.context}")
        for path in found:
            if not path.resolve().is_relative_to(context):
                self._refuse(f"COPY {pattern}: leads out of the build context {self._file.context}")
        return found

    def _is_folder(self, target: str) -> bool:
        if target in ("/", self._file.workdir):
            return True
        return any(
            (copy.target == target and copy.source.is_dir()) or copy.target.startswith(target + "/")
            for copy in self._file.copies
        )

    def _run(self, text: str) -> None:
        text = " ".join(_json_list(text) or []) or self._expand(text)
        try:
            commands = parse_pip_command(text)
        except PipCommandError as error:
            self._refuse(f"RUN {error}")
        for command in commands:
            files = [self._requirement_file(name) for name in command.files]
            if files or command.specifiers:
                self._file.installs.append(Install(files, command.specifiers, command.options))

    def _requirement_file(self, name: str) -> Path:
        path = self._file.host_path(name)
        if path is None:
            self._refuse(f"RUN pip install -r {name}: no COPY before it puts that file into the image")
        return path

    def _entrypoint(self, text: str) -> None:
        """It takes the place of what the base image runs, arguments and all."""
        self._file.entrypoint, self._file.cmd = _command(text), self._own_cmd

    def _cmd(self, text: str) -> None:
        self._file.cmd = self._own_cmd = _command(text)

    def _pairs(self, text: str, *, value_needed: bool = True) -> Iterator[tuple[str, str]]:
        for word in shlex.split(self._expand(text)):
            name, equals, value = word.partition("=")
            if value_needed and not equals:
                self._refuse(f"{self._instruction.name} {word!r} is not of the form NAME=value")
            yield name, value

    def _expand(self, text: str) -> str:
        """Replace ``$NAME``, ``${NAME}``, ``${NAME:-other}``, ``${NAME:+other}`` outside single quotes."""
        known = self._arguments | self._file.env

        def value(match: re.Match[str]) -> str:
            if match[0] == r"\$":
                return "$"
            found = known.get(match[1] or match[2], "")
            return {"-": found or match[4], "+": found and match[4]}.get(match[3], found)

        return "".join(part if part.startswith("'") else _VARIABLE.sub(value, part) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """Pieces of ``text``, quoted ones whole; a backslash stays with what it escapes."""
    held = ""
    for match in _QUOTED.finditer(text):
        if match[0].startswith("'") and len(match[0]) > 1:
            yield held
            yield match[0]
            held = ""
        else:
            held += match[0]
    yield held


def _instructions(path: Path) -> Iterator[_Instruction]:
    """Logical lines: continued ones joined, comments and empty lines left out."""
    held, start = "", 0
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        start = start if held else number
        if line.endswith("\\"):
            held += line[:-1].rstrip() + " "
            continue
        name, _, text = (held + line).partition(" ")
        held = ""
        if "<<" in text and name.upper() in ("RUN", "COPY"):
            raise DockerfileError(f"{path}, line {start}: here-documents are not understood here")
        yield _Instruction(start, name.upper(), text.strip())
    if held:
        raise DockerfileError(f"{path}, line {start}: the last line ends with a backslash")


def _command(text: str) -> list[str]:
    words = _json_list(text)
    return ["/bin/sh", "-c", text] if words is None else words


def _json_list(text: str) -> list[str] | None:
    """The words of an exec form (``["a", "b"]``); None for anything else, which Docker takes for a shell's."""
    try:
        words = json.loads(text) if text.startswith("[") else None
    except json.JSONDecodeError:
        return None
    return words if words is not None and all(isinstance(word, str) for word in words) else None


def _unquote(text: str) -> str:
    words = shlex.split(text)
    return words[0] if len(words) == 1 else text
