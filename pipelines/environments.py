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


def _positive(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "a number of at least 1"


def _list_of(pattern: str, meaning: str) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        fits = isinstance(value, list) and all(isinstance(item, str) and re.fullmatch(pattern, item) for item in value)
        return None if fits else meaning

    return check


def _table_of(pattern: str, kinds: type | tuple[type, ...], meaning: str) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        fits = isinstance(value, dict) and all(
            isinstance(item, kinds) and (kinds is not str or re.fullmatch(pattern, str(item)))
            for item in value.values()
        )
        return None if fits else meaning

    return check


SETTINGS: dict[str, Callable[[Any], str | None]] = {
    "kms_key": _matches(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+|[0-9a-f-]{36}", "an ARN or id of a KMS key"
    ),
    "subnets": _list_of(r"subnet-[0-9a-f]{8,17}", 'a list of subnets such as ["subnet-0123456789abcdef0"]'),
    "security_groups": _list_of(r"sg-[0-9a-f]{8,17}", 'a list of groups such as ["sg-0123456789abcdef0"]'),
    "tags": _table_of(r"[\w\s.:/=+@-]{0,256}", str, 'a table of texts such as { team = "pricing" }'),
    "instance_types": _table_of(r"ml\.[a-z0-9.-]+", str, 'a table such as { "ml.m5.large" = "ml.m5.4xlarge" }'),
    "parameters": _table_of("", (str, int, float, bool), "a table of values such as { MaxDepth = 8 }"),
    "parallelism": _positive,
    "suffix": _matches(r"(-[a-zA-Z0-9]+){1,8}", 'a suffix such as "-staging"'),
    "profile": _matches(r"[^\s\[\]]+", "the name of a profile in ~/.aws/config"),
    "role_policy": _matches(r"[^/].*\.json", "the path of a JSON file in the checkout"),
}
"""What :class:`Environment` has besides; each may be left out."""
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
    fields = {key: _frozen(table[key]) for key in (*REQUIRED, *SETTINGS) if key in table}
    return Target(Environment(name=name, root=root, **fields), Endpoint(*commands))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


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
    known = REQUIRED | SETTINGS | OPTIONAL
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
    if bool(table.get("subnets")) != bool(table.get("security_groups")):
        line = _line(text, name, "subnets" if "subnets" in table else "security_groups")
        message = "subnets and security_groups go together: SageMaker wants both or neither"
        raise EnvironmentsFileError(f"{ENVIRONMENTS_FILE}:{line}: [{name}] {message}")


def _line(text: str, table: str | None, key: str | None) -> int:
    """Line of ``key`` in ``[table]``, or of the table's header without a key; 1 if it is written in an unusual way."""
    current: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"""\s*\[\s*["']?([^"'\]]+?)["']?\s*\]""", line):
            current = header[1]
            if current in (table if key is None else f"{table}.{key}", None):
                return number
        elif key is not None and current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return 1
