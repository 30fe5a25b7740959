"""Conda's way to ask for a package, as pip's.

``numpy=1.26`` is any 1.26, ``numpy==1.26.4`` that one; builds and channels mean nothing here. After "Package match
specifications" of conda's documentation.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import names
from .errors import CondaError

_SPEC = re.compile(r"^(?:[^\s\[]*::)?(?P<name>[\w.-]+)\s*(?P<rest>.*)$")
_BRACKET = re.compile(r"\[(?P<inside>.*)\]$")
_BRACKET_VERSION = re.compile(r"version=(['\"]?)(?P<version>[^'\"\]]+)\1")
_CONSTRAINT = re.compile(r"^(?P<operator>[<>=!~]*)\s*(?P<version>[\w.*+!-]+)$")
_ORDER = {"<", "<=", ">", ">="}


@dataclass(frozen=True)
class Spec:
    """``constraints`` as pip writes them: ``==1.26.*``."""

    name: str
    constraints: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Spec:
        """
        Raises:
            CondaError: it is not understood.
        """
        match = _SPEC.match(text.strip())
        if match is None:
            raise CondaError("InvalidMatchSpec", f"{text!r} is not the name of a package, or its version is not")
        return cls(match["name"].lower(), tuple(_constraint(part, text) for part in _parts(match["rest"])))

    def __str__(self) -> str:
        return f"{self.name}{','.join(self.constraints)}"


@dataclass
class Wanted:
    """What a list of specs comes to."""

    requirements: list[str] = field(default_factory=list)
    """For pip."""
    ignored: list[str] = field(default_factory=list)
    """What this machine's libraries and programs stand for."""


def translate(specs: Iterable[str]) -> Wanted:
    """
    Raises:
        CondaError: Python of another version, a program that this machine has not, or a spec that is not understood.
    """
    wanted = Wanted()
    for spec in map(Spec.read, specs):
        if spec.name == "python":
            _check_python(spec)
        elif _is_of_this_machine(spec.name):
            wanted.ignored.append(spec.name)
        else:
            name = names.PYPI.get(spec.name, spec.name)
            wanted.requirements.append(f"{name}{','.join(spec.constraints)}")
    return wanted


def _is_of_this_machine(name: str) -> bool:
    program = names.PROGRAMS.get(name)
    if (program and shutil.which(program) is None) or name.startswith("r-"):
        raise CondaError(
            "PackagesNotFoundError",
            f"{name} is not a Python package, and this machine has no program {program or 'R'}. Packages come from PyPI"
            " here; install the program on this machine, or run the image in a container (EMULATOR_ISOLATION).",
        )
    return program is not None or names.is_library(name)


def _parts(rest: str) -> list[str]:
    """The constraints of what follows the name: without build, each with its operator."""
    if bracket := _BRACKET.search(rest):
        inside = _BRACKET_VERSION.search(bracket["inside"])
        rest = inside["version"] if inside else rest[: bracket.start()]
    rest = re.sub(r"\s*([<>=!~,])\s*", r"\1", rest.strip()).partition(" ")[0]
    if re.match(r"^={1,2}[^=]", rest):
        equals = re.match("=+", rest)
        assert equals is not None
        version = rest[equals.end() :].partition("=")[0]  # a build follows a second equals sign
        return [f"{equals[0]}{version}"]
    return [part for part in rest.split(",") if part]


def _constraint(part: str, text: str) -> str:
    match = _CONSTRAINT.match(part)
    if match is None:
        raise CondaError("InvalidMatchSpec", f"{text!r}: {part!r} is not understood; write e.g. =1.2 or >=1.2,<2")
    operator, version = match["operator"], match["version"]
    if operator in _ORDER:
        return operator + version.removesuffix(".*")
    if operator == "=":
        plain = re.fullmatch(r"[\d.]+(\.\*)?", version)
        return f"=={version.removesuffix('.*')}.*" if plain else f"=={version}"
    return (operator or "==") + version


def _check_python(spec: Spec) -> None:
    """An environment has the interpreter of its image, of whichever patch release."""
    ours = tuple(sys.version_info[:2])
    for constraint in spec.constraints:
        operator = re.match(r"[<>=!~]+", constraint)
        assert operator is not None
        version = constraint[operator.end() :].removesuffix(".*")
        asked = tuple(int(number) for number in version.split(".")[:2])
        agrees = {
            "==": ours[: len(asked)] == asked,
            "!=": ours[: len(asked)] != asked or version.count(".") > 1,
            "~=": ours[:1] == asked[:1] and ours >= asked,
            ">=": ours >= asked,
            "<=": ours[: len(asked)] <= asked,
            ">": ours > asked or version.count(".") > 1,
            "<": ours < asked or (ours == asked and version.count(".") > 1),
        }
        if not agrees[operator[0]]:
            raise CondaError(
                "UnsatisfiableError",
                f"{spec}: environments of this image have its Python, {'.'.join(map(str, ours))}. Ask for that version,"
                " or for an image of the other one.",
            )
