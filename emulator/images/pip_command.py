"""Understand ``pip install`` as it is written in Dockerfiles."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

_PIP = (["pip"], ["pip3"], ["python", "-m", "pip"], ["python3", "-m", "pip"])
_HARMLESS = {
    "--no-cache-dir", "--no-cache", "--quiet", "-q", "-qq", "--upgrade", "-U", "--disable-pip-version-check",
    "--no-input", "--prefer-binary", "--compile", "--no-compile", "--no-warn-script-location", "--user", "-v",
    "--root-user-action=ignore", "--break-system-packages", "--progress-bar=off", "--no-color",
}  # fmt: skip
"""They change how pip works, not what is installed in a fresh environment."""
_CACHES = ("/root/.cache", "~/.cache", "$HOME/.cache", "/var/lib/apt/lists", "/var/cache", "/tmp/")
_INSTALLERS = {"pip", "setuptools", "wheel"}
_PASSED_ON = {"--no-deps", "--pre"}
_PASSED_ON_WITH_VALUE = {"--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--trusted-host"}
"""Options that decide what is installed and mean the same here."""


class PipCommandError(ValueError):
    """The command is not a ``pip install`` that is understood; the message says what in it is not."""


@dataclass(slots=True)
class PipCommand:
    """One ``pip install``."""

    files: list[str] = field(default_factory=list)
    specifiers: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)


def parse_pip_command(text: str) -> list[PipCommand]:
    """What ``pip install … && pip install …`` asks for, one after the other.

    Raises:
        PipCommandError: there is anything else in it.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    commands, words = [], list(lexer)
    while words:
        end = words.index("&&") if "&&" in words else len(words)
        if not _is_cleaning(words[:end]):
            commands.append(_parse_one(words[:end], text))
        words = words[end + 1 :]
    return commands


def _is_cleaning(words: list[str]) -> bool:
    """Whether a command only makes an image smaller: here there are no layers to keep small."""
    if words[1:] == ["cache", "purge"] and words[:1] in (["pip"], ["pip3"]):
        return True
    paths = [word for word in words[1:] if not word.startswith("-")]
    return words[:1] == ["rm"] and all(path.startswith(_CACHES) for path in paths)


def _parse_one(words: list[str], text: str) -> PipCommand:
    for pip in _PIP:
        if words[: len(pip) + 1] == [*pip, "install"]:
            command = PipCommand()
            _add_arguments(command, words[len(pip) + 1 :])
            return command
    raise PipCommandError(f"{text!r} is not understood; only 'pip install -r FILE' and 'pip install PACKAGE…' are")


def _add_arguments(command: PipCommand, words: list[str]) -> None:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-r", "--requirement") and rest:
            command.files.append(rest.pop(0))
        elif word.startswith(("-r", "--requirement=")) and word != "-r":
            command.files.append(word.removeprefix("--requirement=").removeprefix("-r"))
        elif word == "--progress-bar" and rest:
            rest.pop(0)
        elif word in _PASSED_ON or (word.partition("=")[0] in _PASSED_ON_WITH_VALUE and "=" in word):
            command.options.append(word)
        elif word in _PASSED_ON_WITH_VALUE and rest:
            command.options += [word, rest.pop(0)]
        elif word not in _HARMLESS:
            _add_specifier(command, word)


def _add_specifier(command: PipCommand, word: str) -> None:
    if word.startswith("-"):
        raise PipCommandError(f"pip install {word} is not understood; put it into the requirements file")
    if word.startswith((".", "/")) or set(word) & set("&|;"):
        raise PipCommandError(f"pip install {word!r} is not understood; only names of packages are")
    if word not in _INSTALLERS:
        command.specifiers.append(word)
