"""A container engine of this machine, driven by its command line: podman or docker, whose words are the same."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.images.commands import run_telling
from emulator.settings import Settings, SettingsError

NAMES = ("podman", "docker")
_SECONDS = 120.0
_INSTALL = {
    "podman": "install it (Debian, Ubuntu: apt-get install podman catatonit)",
    "docker": "install it and start its daemon (https://docs.docker.com/engine/install)",
}
_ROOTLESS = re.compile(r'"rootless": *true|"name=rootless"')
"""As podman and docker say it of themselves."""
_MOST_PROCESSES = 32_768


class EngineError(RuntimeError):
    """The engine is not there, or refused; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Engine:
    name: str
    program: str
    rootless: bool = False
    """Whether its networks are out of this machine's reach, as those of an engine that an ordinary user runs."""

    @classmethod
    def chosen(cls, settings: Settings) -> Engine | None:
        """The engine that ``isolation`` names, None if it names none.

        Raises:
            SettingsError: it is not there, or does not answer.
        """
        if settings.isolation not in NAMES:
            return None
        try:
            return cls.find(settings.isolation)
        except EngineError as error:
            raise SettingsError(
                f"EMULATOR_ISOLATION={settings.isolation}, but {error}. Or unset the variable."
            ) from error

    @classmethod
    def find(cls, name: str) -> Engine:
        """The engine of that name, once it has answered.

        Raises:
            EngineError: there is none, or it does not answer.
        """
        program = shutil.which(name)
        if program is None:
            raise EngineError(f"there is no program {name} on the PATH; {_INSTALL[name]}")
        try:
            info = cls(name, program).call("info", "--format", "{{json .}}")
        except EngineError as error:
            raise EngineError(f"{error}; {_INSTALL[name]}") from error
        return cls(name, program, rootless=_ROOTLESS.search(info) is not None)

    def call(self, *arguments: str) -> str:
        """What a command printed.

        Raises:
            EngineError: it failed, or did not answer in time.
        """
        try:
            ended = subprocess.run(
                [self.program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{self.name} {arguments[0]} did not answer within {_SECONDS:g} seconds") from error
        if ended.returncode != 0:
            raise EngineError(f"{self.name} {arguments[0]}: {ended.stderr.strip() or ended.stdout.strip()}")
        return ended.stdout

    def follow(self, arguments: list[str], progress: Callable[[str], None]) -> None:
        """Run a command that takes long, telling each of its lines.

        Raises:
            EngineError: it failed; the message ends with its last lines.
        """
        code, last = run_telling([self.program, *arguments], progress)
        if code != 0:
            raise EngineError(f"{self.name} {arguments[0]} failed:\n{last}")

    def image(self, reference: str) -> dict[str, Any] | None:
        """The configuration of an image that the engine has, None if it has none of that name."""
        try:
            found = json.loads(self.call("image", "inspect", reference))
        except EngineError:
            return None
        config: dict[str, Any] = found[0].get("Config") or {}
        return config


def ulimits() -> list[str]:
    """Limits for a container that this process could set for itself: an engine's own may lie above what is allowed."""
    files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    nproc = _MOST_PROCESSES if processes == resource.RLIM_INFINITY else min(processes, _MOST_PROCESSES)
    return ["--ulimit", f"nofile={files}:{files}", "--ulimit", f"nproc={nproc}:{nproc}"]
