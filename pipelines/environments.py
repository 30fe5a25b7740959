"""Reading ``pipelines/environments.toml``; every complaint names the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.environment import Environment
from pipelines.errors import EnvironmentsFileError, UsageError, suggest
from pipelines.project import ENVIRONMENTS_FILE


@dataclass(frozen=True)
class Endpoint:
    """How an endpoint other than AWS is found, started and stopped; each command is an argument vector."""

    command: tuple[str, ...] = ()
    start_command: tuple[str, ...] = ()
    stop_command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """An environment and the way to its endpoint; without ``endpoint.command`` that is AWS itself."""

    environment: Environment
    endpoint: Endpoint


def _matches(pattern: str, meaning: str) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and re.fullmatch(pattern, value) else meaning

    return check


def _command(value: Any) -> str | None:
    is_command = isinstance(value, list) and value and all(isinstance(word, str) and word for word in value)
    return None if is_command else 'a list of words such as ["emulator", "start"]'


REQUIRED: dict[str, Callable[[Any], str | None]] = {
    "account": _matches(r"\d{12}", "an account id: twelve digits in quotes"),
    "region": _matches(r"[a-z]{2,4}(-[a-z]+)+-\d", "a region such as us-east-1"),
    "role": _matches(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "the full ARN of a role"),
    "bucket": _matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket name: 3 to 63 of a-z, 0-9, dot and hyphen"),
}
OPTIONAL: dict[str, Callable[[Any], str | None]] = {
    "endpoint_command": _command,
    "start_command": _command,
    "stop_command": _command,
}


def environment_names(root: Path) -> list[str]:
    """Names of the environments of a checkout, in the order of the file."""
    return list(_read(root / ENVIRONMENTS_FILE)[1])


def load_target(root: Path, name: str) -> Target:
    """The environment ``name`` of the checkout ``root``.

    Raises:
        UsageError: the file has no such environment.
        EnvironmentsFileError: the file is missing or wrong; the message names the line.
    """
    path = root / ENVIRONMENTS_FILE
    text, tables = _read(path)
    if name not in tables:
        raise UsageError(f"There is no environment {name!r} in {ENVIRONMENTS_FILE}{suggest(name, tables)}")
    table = tables[name]
    _check(text, name, table)
    commands = [tuple(table.get(key, ())) for key in OPTIONAL]
    fields = {key: table[key] for key in REQUIRED}
    return Target(Environment(name=name, root=root, **fields), Endpoint(*commands))


def _read(path: Path) -> tuple[str, dict[str, dict[str, Any]]]:
    try:
        text = path.read_text()
        document = tomllib.loads(text)
    except FileNotFoundError:
        raise EnvironmentsFileError(f"{path} does not exist: run this in a checkout of the pipelines") from None
    except tomllib.TOMLDecodeError as error:
        raise EnvironmentsFileError(f"{ENVIRONMENTS_FILE} is not valid TOML: {error}") from error
    for name, table in document.items():
        if not isinstance(table, dict):
            line = _line(text, None, name)
            raise EnvironmentsFileError(f"{ENVIRONMENTS_FILE}:{line}: {name!r} stands outside of any [environment]")
    return text, document


def _check(text: str, name: str, table: dict[str, Any]) -> None:
    known = REQUIRED | OPTIONAL
    for key, value in table.items():
        where = f"{ENVIRONMENTS_FILE}:{_line(text, name, key)}: [{name}]"
        if key not in known:
            raise EnvironmentsFileError(f"{where} has an unknown key {key!r}{suggest(key, known)}")
        if problem := known[key](value):
            raise EnvironmentsFileError(f"{where} {key} = {value!r} is not {problem}")
    for key in REQUIRED:
        if key not in table:
            line = _line(text, name, None)
            raise EnvironmentsFileError(f"{ENVIRONMENTS_FILE}:{line}: [{name}] has no {key!r}")


def _line(text: str, table: str | None, key: str | None) -> int:
    """Line of ``key`` in ``[table]``, or of the table's header without a key; 1 if it is written in an unusual way."""
    current: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"""\s*\[\s*["']?([^"'\]]+?)["']?\s*\]""", line):
            current = header[1]
            if key is None and current == table:
                return number
        elif key is not None and current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return 1
